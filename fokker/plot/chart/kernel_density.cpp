#include "fokker/plot/chart/kernel_density.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::plot {
namespace {

constexpr int64_t kMostKernelCells = 4000;
constexpr double kReach = 5;  // bandwidths beyond which a kernel is nothing

/// The length of the shortest interval with a quarter of the sorted values, in standard deviations of a
/// normal law, where it is 2 Phi^{-1}(5/8).
double quarter_scale(const std::vector<double>& sorted) {
  constexpr double normal = 0.6372787;
  const size_t quarter = std::max<size_t>(1, sorted.size() / 4);
  double shortest = INFINITY;
  for (size_t i = 0; i + quarter < sorted.size(); ++i)
    shortest = std::min(shortest, sorted[i + quarter] - sorted[i]);
  return shortest / normal;
}

/// A line of cells that reaches beyond the wanted ones as far as kernels do.
struct CellLine {
  Range range;
  int64_t cells, margin;
  double width;  // of a cell

  CellLine(Range wanted, int64_t count, double bandwidth) : range(wanted), cells(count) {
    check_limits("kernel density", wanted, Scale::linear);
    check(count >= 1 && count <= kMostKernelCells,
          "kernel density: expected between 1 and {} cells but received {}", kMostKernelCells, count);
    check(bandwidth > 0 && std::isfinite(bandwidth),
          "kernel density: expected a bandwidth > 0 but received {}", bandwidth);
    width = wanted.span() / static_cast<double>(count);
    margin = static_cast<int64_t>(
        std::min(std::ceil(kReach * bandwidth / width), static_cast<double>(kMostKernelCells)));
  }
  int64_t all() const { return cells + 2 * margin; }

  /// The cell of each value, and -1 for one too far outside.
  Tensor cell_of(const Tensor& values) const {
    const Tensor place = ((values - range.low) / width).floor() + static_cast<double>(margin);
    const Tensor inside = (place >= 0).logical_and(place < static_cast<double>(all()));
    return at::where(inside, place, at::full_like(place, -1.0)).to(at::kLong);
  }

  /// The mean density in each wanted cell (rows) of a kernel in the middle of each cell (columns).
  Tensor kernel(double bandwidth) const {
    const Tensor to = at::arange(cells, at::kDouble).unsqueeze(1) + static_cast<double>(margin);
    const Tensor distance = (to - at::arange(all(), at::kDouble).unsqueeze(0)) * width;
    const double scale = 1 / (bandwidth * std::sqrt(2.0));
    return (at::erf((distance + 0.5 * width) * scale) - at::erf((distance - 0.5 * width) * scale)) /
           (2 * width);
  }
};

}  // namespace

double kernel_bandwidth(const Tensor& values, int64_t dimension) {
  check(dimension >= 1, "kernel bandwidth: expected a dimension >= 1 but received {}", dimension);
  const Tensor numbers = finite_values("kernel density", values, {-1});
  check_input(numbers.numel() > 1, "kernel density: expected at least 2 values but received {}",
              numbers.numel());
  const double deviation = numbers.std().item<double>();
  check_input(deviation > 0, "kernel density: expected values that differ but all are {}",
              numbers[0].item<double>());
  const double quarter = quarter_scale(to_vector(std::get<0>(numbers.sort())));
  const double scale = quarter > 0 ? std::min(deviation, quarter) : deviation;
  const auto d = static_cast<double>(dimension), n = static_cast<double>(numbers.numel());
  return scale * std::pow(4 / ((d + 2) * n), 1 / (d + 4));
}

Tensor kernel_density(const Tensor& values, Range range, int64_t cells, std::optional<double> bandwidth) {
  const Tensor numbers = finite_values("kernel density", values, {-1});
  const double h = bandwidth ? *bandwidth : kernel_bandwidth(numbers);
  const CellLine line(range, cells, h);
  const Tensor cell = line.cell_of(numbers);
  const Tensor counts = at::bincount(cell.masked_select(cell >= 0), {}, line.all()).to(at::kDouble);
  return at::matmul(line.kernel(h), counts) / static_cast<double>(numbers.numel());
}

Tensor kernel_density(const Tensor& points, Extent extent, int64_t rows, int64_t columns) {
  const Tensor all = finite_values("kernel density", points, {-1, 2});
  const Tensor x = all.select(1, 0), y = all.select(1, 1);
  const double hx = kernel_bandwidth(x, 2), hy = kernel_bandwidth(y, 2);
  const CellLine across(extent.x, columns, hx), up(extent.y, rows, hy);
  const Tensor column = across.cell_of(x), row = up.cell_of(y);
  const Tensor inside = (column >= 0).logical_and(row >= 0);
  const Tensor cell = (row * across.all() + column).masked_select(inside);
  const Tensor counts =
      at::bincount(cell, {}, up.all() * across.all()).to(at::kDouble).reshape({up.all(), across.all()});
  return at::matmul(at::matmul(up.kernel(hy), counts), across.kernel(hx).t()) /
         static_cast<double>(all.size(0));
}

}  // namespace fokker::plot
