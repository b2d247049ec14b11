// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/vector/sinusoidal_features.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include "fokker/kernel/vector/sinusoidal_features.h"

#include <algorithm>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The columns [begin, end) of a row.
template <bool Cosine>
HWY_INLINE void sinusoid_columns(float time, const float* frequencies, int64_t begin, int64_t end,
                                 float* out) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto largest = hn::Set(d, 30000.0f);  // Highway's functions hold to 39000
  for (int64_t k = begin; k < end; k += lanes) {
    const auto angle = hn::Mul(hn::Set(d, time), load_part(d, frequencies + k, end - k));
    if (hn::AllTrue(d, hn::Le(hn::Abs(angle), largest))) {
      store_part(Cosine ? hn::Cos(d, angle) : hn::Sin(d, angle), d, end - k, out + k);
      continue;
    }
    for (int64_t i = k; i < std::min(end, k + lanes); ++i)
      out[i] = Cosine ? std::cos(time * frequencies[i]) : std::sin(time * frequencies[i]);
  }
}

void sinusoidal_features(const float* times, int64_t n, const float* frequencies, int64_t columns,
                         int64_t cosines, float* out) {
  for (int64_t i = 0; i < n; ++i, out += columns) {
    sinusoid_columns<true>(times[i], frequencies, 0, cosines, out);
    sinusoid_columns<false>(times[i], frequencies, cosines, columns, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <ATen/Parallel.h>

namespace fokker::kernel {

HWY_EXPORT(sinusoidal_features);

void sinusoidal_features(const float* times, int64_t n, const float* frequencies, int64_t columns,
                         int64_t cosines, float* out) {
  at::parallel_for(0, n, 512, [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(sinusoidal_features)
    (times + begin, end - begin, frequencies, columns, cosines, out + begin * columns);
  });
}

}  // namespace fokker::kernel
#endif
