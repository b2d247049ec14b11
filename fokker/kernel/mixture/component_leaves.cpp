// Components of a mixture sorted into leaves by halving: a k-d tree of which only the leaves are kept.
#include "fokker/kernel/mixture/component_leaves.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace fokker::kernel {
namespace {

const at::TensorOptions doubles(at::kDouble);

}  // namespace

ComponentLeaves::ComponentLeaves(const Tensor& means, const Tensor& log_weights)
    : means_(means), log_weights_(log_weights) {
  const int64_t k = means.size(0);
  order_ = at::arange(k, at::kLong);
  auto* order = order_.data_ptr<int64_t>();
  split(order, order + k);
  bound();
  const double* values = means.data_ptr<double>();
  const bool exact = std::all_of(values, values + means.numel(),
                                 [](double m) { return static_cast<double>(static_cast<float>(m)) == m; });
  const int64_t count = (k + leaf_size - 1) / leaf_size;
  if (!exact) centres_ = (0.5 * (boxes_[0] + boxes_[1])).slice(1, 0, count).t().contiguous();
}

/// Halves the range across its widest coordinate until it is one leaf; all leaves but the last are full.
void ComponentLeaves::split(int64_t* begin, int64_t* end) const {
  const int64_t count = (end - begin + leaf_size - 1) / leaf_size, d = means_.size(1);
  if (count == 1) return;
  const double* means = means_.data_ptr<double>();
  double low[most_leaf_dimensions], high[most_leaf_dimensions];
  std::copy_n(means + *begin * d, d, low);
  std::copy_n(means + *begin * d, d, high);
  for (const int64_t* at = begin; at < end; ++at)
    for (int64_t j = 0; j < d; ++j) {
      low[j] = std::min(low[j], means[*at * d + j]);
      high[j] = std::max(high[j], means[*at * d + j]);
    }
  int64_t axis = 0;
  for (int64_t j = 1; j < d; ++j)
    if (high[j] - low[j] > high[axis] - low[axis]) axis = j;
  int64_t* middle = begin + (count + 1) / 2 * leaf_size;
  std::nth_element(begin, middle, end,
                   [&](int64_t a, int64_t b) { return means[a * d + axis] < means[b * d + axis]; });
  split(begin, middle);
  split(middle, end);
}

void ComponentLeaves::bound() {
  const int64_t k = means_.size(0), d = means_.size(1), count = (k + leaf_size - 1) / leaf_size;
  const int64_t stride = (count + 15) / 16 * 16;
  boxes_ = at::zeros({2, d, stride}, doubles);
  heaviest_ = at::full({stride}, -HUGE_VAL, doubles);
  const double *means = means_.data_ptr<double>(), *log_weights = log_weights_.data_ptr<double>();
  const auto* order = order_.data_ptr<int64_t>();
  double *low = boxes_.data_ptr<double>(), *high = low + d * stride, largest = 0;
  for (int64_t leaf = 0; leaf < count; ++leaf)
    for (int64_t i = leaf * leaf_size; i < std::min((leaf + 1) * leaf_size, k); ++i) {
      double& heaviest = heaviest_.data_ptr<double>()[leaf];
      heaviest = std::max(heaviest, log_weights[order[i]]);
      double square = 0;
      for (int64_t j = 0; j < d; ++j) {
        const double value = means[order[i] * d + j];
        square += value * value;
        double &lowest = low[j * stride + leaf], &highest = high[j * stride + leaf];
        const bool first = i == leaf * leaf_size;
        lowest = first ? value : std::min(lowest, value);
        highest = first ? value : std::max(highest, value);
      }
      largest = std::max(largest, square);
    }
  largest_norm_ = std::sqrt(largest);
}

template <typename T>
Tensor ComponentLeaves::make_columns() const {
  const int64_t k = means_.size(0), d = means_.size(1), count = (k + leaf_size - 1) / leaf_size;
  const Tensor result = at::zeros({count, d + 1, leaf_size}, c10::CppTypeToScalarType<T>::value);
  const double *means = means_.data_ptr<double>(), *log_weights = log_weights_.data_ptr<double>();
  const double* centres =
      std::is_same_v<T, float> && centres_.defined() ? centres_.data_ptr<double>() : nullptr;
  const auto* order = order_.data_ptr<int64_t>();
  for (int64_t slot = 0; slot < count * leaf_size; ++slot) {
    const int64_t leaf = slot / leaf_size;
    T* column = result.data_ptr<T>() + leaf * (d + 1) * leaf_size + slot % leaf_size;
    for (int64_t j = 0; j < d && slot < k; ++j)
      column[j * leaf_size] =
          static_cast<T>(means[order[slot] * d + j] - (centres ? centres[leaf * d + j] : 0));
    column[d * leaf_size] =
        static_cast<T>(slot < k ? std::numbers::log2e * log_weights[order[slot]] : -HUGE_VAL);
  }
  return result;
}

Leaves ComponentLeaves::leaves() const {
  return {means_.size(1),
          (means_.size(0) + leaf_size - 1) / leaf_size,
          heaviest_.size(0),
          boxes_.data_ptr<double>(),
          heaviest_.data_ptr<double>(),
          means_.data_ptr<double>(),
          log_weights_.data_ptr<double>(),
          order_.data_ptr<int64_t>()};
}

template <>
LeafColumns<float> ComponentLeaves::columns() const {
  std::call_once(single_once_, [&] { single_ = make_columns<float>(); });
  return {single_.data_ptr<float>(), centres_.defined() ? centres_.data_ptr<double>() : nullptr};
}

template <>
LeafColumns<double> ComponentLeaves::columns() const {
  std::call_once(full_once_, [&] { full_ = make_columns<double>(); });
  return {full_.data_ptr<double>(), nullptr};
}

}  // namespace fokker::kernel
