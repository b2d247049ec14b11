#pragma once
#include <mutex>

#include "fokker/core/tensor.h"
#include "fokker/kernel/mixture/mixture_leaves.h"

namespace fokker::kernel {

/// Memory of Leaves and of their columns, float32 and float64, each made when it is first asked for. Safe to
/// share between threads.
class ComponentLeaves {
 public:
  /// Means (k, d), d <= most_leaf_dimensions, and log weights (k): contiguous float64, which are kept.
  ComponentLeaves(const Tensor& means, const Tensor& log_weights);

  Leaves leaves() const;
  template <typename T>
  LeafColumns<T> columns() const;
  double largest_norm() const { return largest_norm_; }

 private:
  void split(int64_t* begin, int64_t* end) const;
  void bound();
  template <typename T>
  Tensor make_columns() const;

  Tensor means_, log_weights_;
  Tensor order_, boxes_, heaviest_;
  Tensor centres_;  // of the float32 columns; undefined where float32 holds the means as they are
  double largest_norm_ = 0;
  mutable std::once_flag single_once_, full_once_;
  mutable Tensor single_, full_;
};

}  // namespace fokker::kernel
