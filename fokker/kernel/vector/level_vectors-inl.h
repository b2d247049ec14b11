// Passes over the levels of one part on Highway's vectors. Included once per target.
#if defined(FOKKER_KERNEL_LEVEL_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_KERNEL_LEVEL_VECTORS_INL_H_
#undef FOKKER_KERNEL_LEVEL_VECTORS_INL_H_
#else
#define FOKKER_KERNEL_LEVEL_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>

#include "fokker/kernel/vector/activation-inl.h"
#include "fokker/kernel/vector/vector_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LevelVector = hn::ScalableTag<float>;

/// v, with `other` in the lanes that a part of a vector leaves out.
template <class V>
HWY_INLINE V with_rest(WholeVector, V v, float) {
  return v;
}
template <class V>
HWY_INLINE V with_rest(PartOfVector access, V v, float other) {
  const LevelVector d;
  return hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(access.count)), v, hn::Set(d, other));
}

/// out[k] = value(access, k) for k < count; the largest.
template <class Value>
HWY_INLINE float write_values(int64_t count, float* out, const Value& value) {
  const LevelVector d;
  auto largest = hn::Set(d, -HUGE_VALF);
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    const auto v = value(access, k);
    access.store(v, d, out + k);
    largest = hn::Max(largest, with_rest(access, v, -HUGE_VALF));
  });
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// out[k] = exp(values[k] - largest), which may be the same place; their sum.
HWY_INLINE float write_powers(const float* values, int64_t count, float largest, float* out) {
  const LevelVector d;
  auto sum = hn::Zero(d);
  const auto shift = hn::Set(d, largest);
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    const auto e = exponential(d, hn::Sub(access.load(d, values + k), shift));
    access.store(e, d, out + k);
    sum = hn::Add(sum, with_rest(access, e, 0.0f));
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

HWY_INLINE float dot(const float* a, const float* b, int64_t count) {
  const LevelVector d;
  auto sum = hn::Zero(d);
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    sum = hn::MulAdd(access.load(d, a + k), access.load(d, b + k), sum);
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// out = factor a.
HWY_INLINE void scale_numbers(const float* a, float factor, int64_t count, float* out) {
  const LevelVector d;
  for_vectors(d, count, [&](auto access, int64_t k) HWY_ATTR {
    access.store(hn::Mul(access.load(d, a + k), hn::Set(d, factor)), d, out + k);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#endif
