// Components of a mixture laid out for the float32 product of panel_product.
#include "fokker/kernel/mixture/component_panels.h"

#include <algorithm>
#include <cmath>

namespace fokker::kernel {
namespace {

// Norms of tails are bounds: rounding must not make them smaller.
constexpr double upward = 1 + 1e-6;
// Below this, a product is so short that looking at its bounds costs more than it saves.
constexpr int64_t staged_dimension = 256;

int64_t rows_at_a_time(int64_t d) {
  return std::max<int64_t>(1, (int64_t{1} << 20) / d);
}

}  // namespace

ComponentPanels::ComponentPanels(const CentredMeans& components)
    : centre(components.means.mean(0)),
      dimension_(components.means.size(1)),
      components_(components.means.size(0)) {
  const bool staged = dimension_ >= staged_dimension;
  head_ = staged ? dimension_ / 8 : dimension_;
  step_ = std::max<int64_t>(32, dimension_ / 16);
  const int64_t count = (components_ + panel_width - 1) / panel_width, padded = count * panel_width;
  const int64_t looks = panels().looks();
  const at::TensorOptions single(at::kFloat);
  log_weights_ = at::full({padded}, -HUGE_VAL, single);
  log_weights_.slice(0, 0, components_).copy_(components.log_weights - components.log_weights.max());
  values_ = at::zeros({count * dimension_ * panel_width}, single);
  half_norms_ = at::zeros({padded}, single);
  head_norms_ = at::zeros({padded}, single);
  tail_norms_ = at::zeros({looks, padded}, single);
  Tensor squares = at::zeros({dimension_}, at::kDouble);
  const int64_t step = rows_at_a_time(dimension_);
  const auto offsets = [&](int64_t begin) { return components.means.slice(0, begin, begin + step) - centre; };
  for (int64_t begin = 0; begin < components_; begin += step) squares += offsets(begin).square().sum(0);
  order_ = squares.argsort(/*stable=*/true, 0, /*descending=*/true);
  for (int64_t begin = 0; begin < components_; begin += step)
    fill(offsets(begin).index_select(1, order_), begin);
  largest_norm = std::sqrt(2 * half_norms_.max().item<double>());
}

/// Components from `begin` on: offsets (rows, d), in the order of the panels' coordinates.
void ComponentPanels::fill(const Tensor& offsets, int64_t begin) {
  const Panels shape = panels();
  const Tensor squares = offsets.square();
  const int64_t end = begin + offsets.size(0);
  half_norms_.slice(0, begin, end).copy_(0.5 * squares.sum(1));
  head_norms_.slice(0, begin, end).copy_(0.5 * squares.slice(1, 0, head_).sum(1));
  for (int64_t look = 0; look < shape.looks(); ++look)
    tail_norms_[look]
        .slice(0, begin, end)
        .copy_(upward * squares.slice(1, shape.depth(look), dimension_).sum(1).sqrt());
  const Tensor contiguous = offsets.contiguous();
  const double* from = contiguous.data_ptr<double>();
  float* values = values_.data_ptr<float>();
  const auto stage = [&](int64_t begin_depth, int64_t end_depth) {
    for (int64_t i = begin; i < end; ++i) {
      float* panel = values + (shape.stage(i / panel_width, begin_depth, end_depth) - shape.values);
      for (int64_t j = begin_depth; j < end_depth; ++j)
        panel[(j - begin_depth) * panel_width + i % panel_width] =
            static_cast<float>(from[(i - begin) * dimension_ + j]);
    }
  };
  stage(0, head_);
  for (int64_t look = 0; look < shape.looks(); ++look) stage(shape.depth(look), shape.depth(look + 1));
}

Panels ComponentPanels::panels() const {
  const auto data = [](const Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; };
  return {dimension_,
          (components_ + panel_width - 1) / panel_width,
          head_,
          step_,
          data(values_),
          data(log_weights_),
          data(half_norms_),
          data(head_norms_),
          data(tail_norms_)};
}

void ComponentPanels::pack(const double* centred, float* values, float* tail_norms, int64_t rows,
                           int64_t row) const {
  const Panels shape = panels();
  const auto* order = order_.data_ptr<int64_t>();
  float* column = values + row / tile_rows * dimension_ * tile_rows + row % tile_rows;
  double tail = 0;
  int64_t look = shape.looks() - 1;
  for (int64_t j = dimension_ - 1; j >= 0; --j) {
    const double x = centred[order[j]];
    column[j * tile_rows] = static_cast<float>(x);
    tail += x * x;
    if (look >= 0 && j == shape.depth(look))
      tail_norms[look-- * rows + row] = static_cast<float>(upward * std::sqrt(tail));
  }
}

}  // namespace fokker::kernel
