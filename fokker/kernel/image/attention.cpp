// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/image/attention.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/image/attention.h"

#include <algorithm>
#include <cmath>

#include "fokker/kernel/matrix/gemm.h"
#include "fokker/kernel/vector/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Turns a row of scores into exp(score - largest); returns their sum. Numbers past the row's end, up to a
/// whole vector, are overwritten. A score of NaN or +infinity makes the sum NaN, and so all weights.
float exponentiate_row(float* row, int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = count; i < (count + lanes - 1) / lanes * lanes; ++i) row[i] = -HUGE_VALF;
  auto largest = hn::Set(d, -HUGE_VALF);
  for (int64_t i = 0; i < count; i += lanes) largest = hn::Max(largest, hn::LoadU(d, row + i));
  largest = hn::MaxOfLanes(d, largest);
  auto sum = hn::Zero(d);
  for (int64_t i = 0; i < count; i += lanes) {
    const auto value = exponential(d, hn::Sub(hn::LoadU(d, row + i), largest));
    sum = hn::Add(sum, value);
    hn::StoreU(value, d, row + i);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {
namespace {

constexpr int64_t queries_together = 48;

/// Rows of scores end on whole vectors of any width.
int64_t score_stride(int64_t pixels) {
  return (pixels + 31) / 16 * 16;
}

}  // namespace

HWY_EXPORT(exponentiate_row);

int64_t attention_scratch(const AttentionShape& s) {
  return queries_together * score_stride(s.pixels) + packed_size(s.size, s.pixels) +
         packed_size(s.pixels, s.size);
}

void attend(const AttentionShape& s, const float* qkv, float* out, float* scratch) {
  const int64_t channels = s.heads * s.size, row = 3 * channels, stride = score_stride(s.pixels);
  float *scores = scratch, *keys = scores + queries_together * stride,
        *values = keys + packed_size(s.size, s.pixels);
  for (int64_t head = 0; head < s.heads; ++head) {
    const float *q = qkv + head * s.size, *k = q + channels, *v = k + channels;
    const PackedMatrix k_transposed = pack_matrix({k, 1, row}, s.size, s.pixels, keys);
    const PackedMatrix v_packed = pack_matrix({v, row, 1}, s.pixels, s.size, values);
    for (int64_t first = 0; first < s.pixels; first += queries_together) {
      const int64_t count = std::min(queries_together, s.pixels - first);
      gemm({q + first * row, row, 1}, count, k_transposed, {}, scores, stride);
      for (int64_t i = 0; i < count; ++i) {
        float* weights = scores + i * stride;
        const float sum = HWY_DYNAMIC_DISPATCH(exponentiate_row)(weights, s.pixels);
        for (int64_t j = 0; j < s.pixels; ++j) weights[j] /= sum;
      }
      gemm({scores, stride, 1}, count, v_packed, {}, out + first * channels + head * s.size, channels);
    }
  }
}

}  // namespace fokker::kernel
#endif
