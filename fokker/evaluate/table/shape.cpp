#include "fokker/evaluate/table/shape.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/cells.h"

namespace fokker {
namespace {

std::vector<double> present_cells(const Tensor& column) {
  std::vector<double> present;
  const double* cell = column.data_ptr<double>();
  for (int64_t i = 0; i < column.numel(); ++i)
    if (!std::isnan(cell[i])) present.push_back(cell[i]);
  return present;
}

double distance_of_sorted(const std::vector<double>& x, const std::vector<double>& y) {
  size_t i = 0, j = 0;
  double largest = 0;
  while (i < x.size() && j < y.size()) {
    const double value = std::min(x[i], y[j]);
    while (i < x.size() && x[i] == value) ++i;
    while (j < y.size() && y[j] == value) ++j;
    largest = std::max(largest, std::abs(static_cast<double>(i) / static_cast<double>(x.size()) -
                                         static_cast<double>(j) / static_cast<double>(y.size())));
  }
  return largest;
}

double total_variation(const Tensor& x, const Tensor& y, int64_t levels) {
  std::vector<int64_t> first(levels + 2), second(levels + 2);
  for (int64_t i = 0; i < x.numel(); ++i) ++first[level_code(x.data_ptr<double>()[i], levels)];
  for (int64_t i = 0; i < y.numel(); ++i) ++second[level_code(y.data_ptr<double>()[i], levels)];
  double sum = 0;
  for (size_t k = 0; k < first.size(); ++k)
    sum += std::abs(static_cast<double>(first[k]) / static_cast<double>(x.numel()) -
                    static_cast<double>(second[k]) / static_cast<double>(y.numel()));
  return sum / 2;
}

double missing_share(const Tensor& column) {
  return static_cast<double>(at::isnan(column).sum().item<int64_t>()) / static_cast<double>(column.numel());
}

ColumnShape column_shape(const Tensor& x, const Tensor& y, const Column& column) {
  ColumnShape result{.missing = std::abs(missing_share(x) - missing_share(y))};
  if (column.has_levels()) {
    result.distance = total_variation(x, y, static_cast<int64_t>(column.levels.size()));
    result.error = result.distance;
    return result;
  }
  const std::vector<double> first = present_cells(x), second = present_cells(y);
  if (first.empty() || second.empty())
    result.distance = first.empty() != second.empty();
  else
    result.distance = kolmogorov_smirnov(first, second);
  result.error = std::max(result.distance, result.missing);
  return result;
}

}  // namespace

double kolmogorov_smirnov(std::span<const double> x, std::span<const double> y) {
  check(!x.empty() && !y.empty(), "kolmogorov_smirnov: expected two sets that are not empty");
  std::vector<double> first(x.begin(), x.end()), second(y.begin(), y.end());
  for (const auto* values : {&first, &second})
    check(std::none_of(values->begin(), values->end(), [](double v) { return std::isnan(v); }),
          "kolmogorov_smirnov: expected numbers but received NaN");
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  return distance_of_sorted(first, second);
}

ShapeErrors shape_errors(const Tensor& samples, const Tensor& reference, const Schema& schema) try {
  const Tensor x = columns_of_cells(samples, schema, "samples");
  const Tensor y = columns_of_cells(reference, schema, "reference");
  ShapeErrors result{.columns = std::vector<ColumnShape>(schema.columns.size())};
  run_jobs(schema.columns.size(), thread_count(), [&](size_t c) {
    const auto column = static_cast<int64_t>(c);
    result.columns[c] = column_shape(x[column], y[column], schema.columns[c]);
  });
  for (const ColumnShape& shape : result.columns)
    result.mean += shape.error / static_cast<double>(schema.size());
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
