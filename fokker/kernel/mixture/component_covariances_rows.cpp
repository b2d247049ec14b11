// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/mixture/component_covariances_rows.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/mixture/component_covariances_rows.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fokker/kernel/vector/power_of_two-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;

/// Vectors in working memory, (dimension) of each kind.
struct Vectors {
  Vectors(double* memory, int64_t dimension) : begin(memory), step(dimension * hn::Lanes(D())) {}
  double* residual(int64_t j) const { return at(0, j); }
  double* straight(int64_t j) const { return at(1, j); }  ///< residuals along the coordinate axes
  double* weighted_residual(int64_t j) const { return at(2, j); }
  double* explained(int64_t j) const { return at(3, j); }
  double* mean(int64_t j) const { return at(4, j); }
  double* at(int64_t kind, int64_t j) const {
    return begin + kind * step + j * static_cast<int64_t>(hn::Lanes(D()));
  }
  double* begin;
  int64_t step;
};

/// Residuals of a vector of components from `k` on, along their axes.
HWY_INLINE void find_residuals(const ComponentColumns& columns, const double* x, int64_t k,
                               const Vectors& vectors) {
  const D d;
  const int64_t n = columns.dimension, stride = columns.stride;
  for (int64_t j = 0; j < n; ++j)
    hn::Store(hn::Sub(hn::Set(d, x[j]), hn::Load(d, columns.means + j * stride + k)), d,
              columns.axes ? vectors.straight(j) : vectors.residual(j));
  for (int64_t j = 0; columns.axes && j < n; ++j) {
    V sum = hn::Zero(d);
    for (int64_t i = 0; i < n; ++i)
      sum = hn::MulAdd(hn::Load(d, columns.axes + (i * n + j) * stride + k), hn::Load(d, vectors.straight(i)),
                       sum);
    hn::Store(sum, d, vectors.residual(j));
  }
}

/// Logits of all components; returns the largest.
HWY_INLINE double component_logits(const ComponentColumns& columns, const double* x, const Vectors& vectors,
                                   double* logits) {
  const D d;
  V largest = hn::Set(d, -HUGE_VAL);
  for (int64_t k = 0; k < columns.stride; k += static_cast<int64_t>(hn::Lanes(d))) {
    find_residuals(columns, x, k, vectors);
    V square = hn::Zero(d);
    for (int64_t j = 0; j < columns.dimension; ++j) {
      const V r = hn::Load(d, vectors.residual(j));
      square = hn::MulAdd(hn::Mul(r, r), hn::Load(d, columns.precisions + j * columns.stride + k), square);
    }
    const V logit = hn::NegMulAdd(square, hn::Set(d, 0.5), hn::Load(d, columns.logits + k));
    hn::Store(logit, d, logits + k);
    largest = hn::Max(largest, logit);
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// Adds weight times what a vector of components says.
HWY_INLINE void add_moments(const ComponentColumns& columns, int64_t k, V weight, const Vectors& vectors) {
  const D d;
  const int64_t n = columns.dimension, stride = columns.stride;
  const auto add = [&](double* sum, V a, V b)
                       HWY_ATTR { hn::Store(hn::MulAdd(a, b, hn::Load(d, sum)), d, sum); };
  const V one = hn::Set(d, 1.0);
  for (int64_t j = 0; j < n; ++j) {
    const V r = hn::Mul(weight, hn::Load(d, vectors.residual(j)));
    const V weighted_residual = hn::Mul(r, hn::Load(d, columns.precisions + j * stride + k));
    const V explained = hn::Mul(r, hn::Load(d, columns.gains + j * stride + k));
    add(vectors.mean(j), weight, hn::Load(d, columns.data_means + j * stride + k));
    if (!columns.axes) {
      add(vectors.weighted_residual(j), weighted_residual, one);
      add(vectors.explained(j), explained, one);
    }
    for (int64_t i = 0; columns.axes && i < n; ++i) {
      const V axis = hn::Load(d, columns.axes + (i * n + j) * stride + k);
      add(vectors.weighted_residual(i), axis, weighted_residual);
      add(vectors.explained(i), axis, explained);
    }
  }
}

void add_components(const ComponentColumns& columns, const double* x, const ComponentWork& work,
                    ComponentSums& sums) {
  constexpr double negligible = -50;  // exp(-50) = 2e-22
  const D d;
  const int64_t n = columns.dimension;
  const Vectors vectors(work.vectors, n);
  const double top = component_logits(columns, x, vectors, work.logits);
  if (!std::isfinite(top)) {  // no component has a weight, or all are beyond the range of numbers
    for (double* values : {sums.weighted_residual, sums.explained, sums.mean})
      std::fill_n(values, n, std::nan(""));
    sums.log_total = top < 0 ? top : std::nan("");
    return;
  }
  std::fill_n(work.vectors, component_working_size(n), 0.0);
  V total = hn::Zero(d);
  for (int64_t k = 0; k < columns.stride; k += static_cast<int64_t>(hn::Lanes(d))) {
    const V logit = hn::Sub(hn::Load(d, work.logits + k), hn::Set(d, top));
    if (hn::AllTrue(d, hn::Lt(logit, hn::Set(d, negligible)))) continue;
    V weight[1] = {hn::Mul(logit, hn::Set(d, std::numbers::log2e))};
    powers_of_two(d, weight);
    total = hn::Add(total, weight[0]);
    find_residuals(columns, x, k, vectors);
    add_moments(columns, k, weight[0], vectors);
  }
  const double sum = hn::GetLane(hn::SumOfLanes(d, total));
  const auto average = [&](const double* of)
                           HWY_ATTR { return hn::GetLane(hn::SumOfLanes(d, hn::Load(d, of))) / sum; };
  for (int64_t j = 0; j < n; ++j) {
    sums.weighted_residual[j] = average(vectors.weighted_residual(j));
    sums.explained[j] = average(vectors.explained(j));
    sums.mean[j] = average(vectors.mean(j));
  }
  sums.log_total = top + std::log(sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(add_components);

void add_components(const ComponentColumns& columns, const double* x, const ComponentWork& work,
                    ComponentSums& sums) {
  HWY_DYNAMIC_DISPATCH(add_components)(columns, x, work, sums);
}

}  // namespace fokker::kernel
#endif
