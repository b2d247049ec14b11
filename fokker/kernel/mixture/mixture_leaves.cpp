// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/mixture/mixture_leaves.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/mixture/mixture_leaves.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fokker/kernel/vector/power_of_two-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A query relative to its anchor: log2 of the ratio of weights is place.a - half a.a + log2 w - base, with
/// a = m - m_anchor.
template <typename T>
struct Anchored {
  int64_t slot;
  const double *mean, *x;
  double slope, half_alpha;
  T place[most_leaf_dimensions], half, base;
  double logit;  ///< of the anchor, as log w - |x - alpha m|^2 / (2 variance)
};

template <typename T>
HWY_INLINE Anchored<T> anchored_at(const Leaves& leaves, const LeafQuery& query, int64_t slot) {
  const int64_t component = leaves.order[slot];
  Anchored<T> anchor;
  anchor.slot = slot;
  anchor.mean = leaves.means + component * leaves.dimension;
  anchor.x = query.x;
  anchor.half_alpha = 0.5 * query.alpha;
  anchor.slope = std::numbers::log2e * query.alpha / query.variance;
  double square = 0;
  for (int64_t j = 0; j < leaves.dimension; ++j) {
    const double rest = query.x[j] - query.alpha * anchor.mean[j];
    anchor.place[j] = static_cast<T>(anchor.slope * rest);
    square += rest * rest;
  }
  anchor.half = static_cast<T>(anchor.slope * anchor.half_alpha);
  anchor.base = static_cast<T>(std::numbers::log2e * leaves.log_weights[component]);
  anchor.logit = leaves.log_weights[component] - 0.5 * square / query.variance;
  return anchor;
}

/// A leaf as an anchor sees it. kDimension is that of the mixture, or 0 where only `leaves` knows it.
template <typename T, int kDimension>
struct SeenLeaf {
  HWY_INLINE SeenLeaf(const Leaves& leaves, LeafColumns<T> all, int64_t leaf, const Anchored<T>& from)
      : any_dimension(leaves.dimension),
        columns(all.values + leaf * (leaves.dimension + 1) * leaf_size),
        anchor(from) {
    for (int64_t j = 0; j < dimension(); ++j)
      shift[j] = static_cast<T>((all.centres ? all.centres[leaf * dimension() + j] : 0) - anchor.mean[j]);
  }
  HWY_INLINE int64_t dimension() const { return kDimension ? kDimension : any_dimension; }

  template <class D>
  HWY_INLINE hn::Vec<D> difference(D d, int64_t j, int64_t k) const {
    return hn::Add(hn::Load(d, columns + j * leaf_size + k), hn::Set(d, shift[j]));
  }
  /// In float place.a - half a.a, as its factors are rounded to be as near as a query's own rounding. In
  /// double slope a.(x - alpha (m + m_anchor) / 2): a query that is given in double may lie between two
  /// components.
  template <class D>
  HWY_INLINE hn::Vec<D> logit(D d, int64_t k) const {
    const auto weight = hn::Sub(hn::Load(d, columns + dimension() * leaf_size + k), hn::Set(d, anchor.base));
    if constexpr (sizeof(T) == 4) {
      auto sum = weight;
      for (int64_t j = 0; j < dimension(); ++j) {
        const auto a = difference(d, j, k);
        sum = hn::MulAdd(a, hn::NegMulAdd(a, hn::Set(d, anchor.half), hn::Set(d, anchor.place[j])), sum);
      }
      return sum;
    } else {
      auto sum = hn::Zero(d);
      for (int64_t j = 0; j < dimension(); ++j) {
        const auto mean = hn::Load(d, columns + j * leaf_size + k), nearest = hn::Set(d, anchor.mean[j]);
        const auto beside =
            hn::NegMulAdd(hn::Add(mean, nearest), hn::Set(d, anchor.half_alpha), hn::Set(d, anchor.x[j]));
        sum = hn::MulAdd(hn::Sub(mean, nearest), beside, sum);
      }
      return hn::MulAdd(sum, hn::Set(d, anchor.slope), weight);
    }
  }

  const int64_t any_dimension;
  const T* columns;
  const Anchored<T>& anchor;
  T shift[most_leaf_dimensions];
};

/// Upper bounds of the logits of each leaf, from the distance of x to its box; returns the best leaf.
HWY_INLINE int64_t bound_leaves(const Leaves& leaves, const LeafQuery& query, double* bounds) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const bool mirrored = query.alpha < 0;
  const double* low = leaves.boxes + (mirrored ? leaves.dimension * leaves.stride : 0);
  const double* high = leaves.boxes + (mirrored ? 0 : leaves.dimension * leaves.stride);
  const auto alpha = hn::Set(d, query.alpha), scale = hn::Set(d, 0.5 / query.variance);
  for (int64_t i = 0; i < leaves.stride; i += lanes) {
    auto square = hn::Zero(d);
    for (int64_t j = 0; j < leaves.dimension; ++j) {
      const auto x = hn::Set(d, query.x[j]);
      const auto below = hn::MulSub(alpha, hn::Load(d, low + j * leaves.stride + i), x);
      const auto above = hn::NegMulAdd(alpha, hn::Load(d, high + j * leaves.stride + i), x);
      const auto gap = hn::Max(hn::Max(below, above), hn::Zero(d));
      square = hn::MulAdd(gap, gap, square);
    }
    hn::StoreU(hn::NegMulAdd(square, scale, hn::Load(d, leaves.heaviest + i)), d, bounds + i);
  }
  return std::max_element(bounds, bounds + leaves.count) - bounds;
}

/// Moves the anchor to the leaf's best component if that is better.
template <typename T, int kDimension>
HWY_INLINE void improve(const Leaves& leaves, LeafColumns<T> columns, const LeafQuery& query, int64_t leaf,
                        Anchored<T>& anchor) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN T logits[leaf_size];
  // A tie within rounding may name another anchor each time: enough is enough.
  for (int repeat = 0; repeat < 8; ++repeat) {
    const SeenLeaf<T, kDimension> seen(leaves, columns, leaf, anchor);
    auto largest = hn::Set(d, static_cast<T>(-HUGE_VAL));
    for (int64_t k = 0; k < leaf_size; k += lanes) {
      const auto logit = seen.logit(d, k);
      hn::Store(logit, d, logits + k);
      largest = hn::Max(largest, logit);
    }
    const T best = hn::GetLane(hn::MaxOfLanes(d, largest));
    if (!(best > 0)) return;
    const auto at = std::find(logits, logits + leaf_size, best) - logits;
    anchor = anchored_at<T>(leaves, query, leaf * leaf_size + at);
  }
}

/// The first place of a leaf whose component has a weight; the leaf has one.
HWY_INLINE int64_t first_weighted(const Leaves& leaves, int64_t leaf) {
  int64_t slot = leaf * leaf_size;
  while (!(leaves.log_weights[leaves.order[slot]] > -HUGE_VAL)) ++slot;
  return slot;
}

/// Adds the leaf's weights and weights times (m - m_anchor): sums of (dimension + 1).
template <typename T, int kDimension>
HWY_INLINE void add_leaf(const SeenLeaf<T, kDimension>& seen, double* sums) {
  constexpr int64_t together = 4;
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto sum_of = [&](V v) HWY_ATTR { return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v))); };
  V total = hn::Zero(d), first = total, second = total, third = total;
  HWY_ALIGN T weights[leaf_size];
  for (int64_t k = 0; k < leaf_size; k += together * lanes) {
    V weight[together];
    HWY_UNROLL(4) for (int64_t i = 0; i < together; ++i) weight[i] = seen.logit(d, k + i * lanes);
    powers_of_two(d, weight);
    HWY_UNROLL(4) for (int64_t i = 0; i < together; ++i) {
      const int64_t at = k + i * lanes;
      total = hn::Add(total, weight[i]);
      if constexpr (kDimension == 0) hn::Store(weight[i], d, weights + at);
      if constexpr (kDimension > 0) first = hn::MulAdd(weight[i], seen.difference(d, 0, at), first);
      if constexpr (kDimension > 1) second = hn::MulAdd(weight[i], seen.difference(d, 1, at), second);
      if constexpr (kDimension > 2) third = hn::MulAdd(weight[i], seen.difference(d, 2, at), third);
    }
  }
  if constexpr (kDimension > 0) sums[0] += sum_of(first);
  if constexpr (kDimension > 1) sums[1] += sum_of(second);
  if constexpr (kDimension > 2) sums[2] += sum_of(third);
  for (int64_t j = 0; kDimension == 0 && j < seen.dimension(); ++j) {
    V moment = hn::Zero(d), other = moment;
    for (int64_t k = 0; k < leaf_size; k += 2 * lanes) {
      moment = hn::MulAdd(hn::Load(d, weights + k), seen.difference(d, j, k), moment);
      other = hn::MulAdd(hn::Load(d, weights + k + lanes), seen.difference(d, j, k + lanes), other);
    }
    sums[j] += sum_of(hn::Add(moment, other));
  }
  sums[seen.dimension()] += sum_of(total);
}

template <typename T, int kDimension>
HWY_INLINE void softmax_in_dimension(const Leaves& leaves, LeafColumns<T> columns, const LeafQuery& query,
                                     double* bounds, LeafSoftmax& result) {
  const int64_t nearest = bound_leaves(leaves, query, bounds);
  if (!(leaves.heaviest[nearest] > -HUGE_VAL)) {  // no component has a weight
    result.anchor = leaves.order[0];
    result.log_total = std::nan("");
    std::fill_n(result.offset, leaves.dimension, result.log_total);
    return;
  }
  Anchored<T> anchor = anchored_at<T>(leaves, query, first_weighted(leaves, nearest));
  improve<T, kDimension>(leaves, columns, query, nearest, anchor);
  for (int64_t leaf = 0; leaf < leaves.count; ++leaf)
    if (bounds[leaf] > anchor.logit - query.slack && leaf != nearest)
      improve<T, kDimension>(leaves, columns, query, leaf, anchor);
  double sums[most_leaf_dimensions + 1] = {};
  for (int64_t leaf = 0; leaf < leaves.count; ++leaf)
    if (bounds[leaf] > anchor.logit - query.cut - query.slack)
      add_leaf(SeenLeaf<T, kDimension>(leaves, columns, leaf, anchor), sums);
  const double total = sums[leaves.dimension];
  result.anchor = leaves.order[anchor.slot];
  result.log_total = std::log(total);
  for (int64_t j = 0; j < leaves.dimension; ++j) result.offset[j] = sums[j] / total;
}

template <typename T>
HWY_INLINE void softmax(const Leaves& leaves, LeafColumns<T> columns, const LeafQuery& query, double* bounds,
                        LeafSoftmax& result) {
  switch (leaves.dimension) {
    case 1:
      return softmax_in_dimension<T, 1>(leaves, columns, query, bounds, result);
    case 2:
      return softmax_in_dimension<T, 2>(leaves, columns, query, bounds, result);
    case 3:
      return softmax_in_dimension<T, 3>(leaves, columns, query, bounds, result);
    default:
      return softmax_in_dimension<T, 0>(leaves, columns, query, bounds, result);
  }
}

void softmax_float(const Leaves& leaves, LeafColumns<float> columns, const LeafQuery& query, double* bounds,
                   LeafSoftmax& result) {
  softmax(leaves, columns, query, bounds, result);
}
void softmax_double(const Leaves& leaves, LeafColumns<double> columns, const LeafQuery& query, double* bounds,
                    LeafSoftmax& result) {
  softmax(leaves, columns, query, bounds, result);
}

template <typename T>
HWY_INLINE void powers(const T* y, int64_t count, T* out) {
  const hn::ScalableTag<T> d;
  HWY_ALIGN T buffer[hn::MaxLanes(d)];
  for (int64_t k = 0; k < count; ++k) {
    hn::Vec<decltype(d)> power[1] = {hn::Set(d, y[k])};
    powers_of_two(d, power);
    hn::Store(power[0], d, buffer);
    out[k] = buffer[0];
  }
}
void powers32(const float* y, int64_t count, float* out) {
  powers(y, count, out);
}
void powers64(const double* y, int64_t count, double* out) {
  powers(y, count, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(softmax_float);
HWY_EXPORT(softmax_double);
HWY_EXPORT(powers32);
HWY_EXPORT(powers64);

template <>
void softmax_over_leaves(const Leaves& leaves, LeafColumns<float> columns, const LeafQuery& query,
                         double* bounds, LeafSoftmax& result) {
  HWY_DYNAMIC_DISPATCH(softmax_float)(leaves, columns, query, bounds, result);
}
template <>
void softmax_over_leaves(const Leaves& leaves, LeafColumns<double> columns, const LeafQuery& query,
                         double* bounds, LeafSoftmax& result) {
  HWY_DYNAMIC_DISPATCH(softmax_double)(leaves, columns, query, bounds, result);
}
template <>
void powers_of_two(const float* y, int64_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(powers32)(y, count, out);
}
template <>
void powers_of_two(const double* y, int64_t count, double* out) {
  HWY_DYNAMIC_DISPATCH(powers64)(y, count, out);
}

}  // namespace fokker::kernel
#endif
