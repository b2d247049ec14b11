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
#include "fokker/kernel/vector/vector_loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Turns a row of scores into its softmax. Numbers past the row's end, up to a whole vector, are overwritten.
/// A score of NaN or +infinity makes the sum NaN, and so all weights.
void softmax_row(float* row, int64_t count) {
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
  const auto factor = hn::Div(hn::Set(d, 1.0f), hn::SumOfLanes(d, sum));
  for (int64_t i = 0; i < count; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, row + i), factor), d, row + i);
}

/// Turns the gradient of a softmax into that of its scores: w (g - sum(w g)).
void softmax_gradient_row(const float* weights, float* gradient, int64_t count) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  for_vectors(d, count, [&](auto access, int64_t i) HWY_ATTR {
    sum = hn::MulAdd(access.load(d, weights + i), access.load(d, gradient + i), sum);
  });
  sum = hn::SumOfLanes(d, sum);
  for_vectors(d, count, [&](auto access, int64_t i) HWY_ATTR {
    const auto centred = hn::Sub(access.load(d, gradient + i), sum);
    access.store(hn::Mul(access.load(d, weights + i), centred), d, gradient + i);
  });
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

HWY_EXPORT(softmax_row);
HWY_EXPORT(softmax_gradient_row);

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
      for (int64_t i = 0; i < count; ++i) HWY_DYNAMIC_DISPATCH(softmax_row)(scores + i * stride, s.pixels);
      gemm({scores, stride, 1}, count, v_packed, {}, out + first * channels + head * s.size, channels);
    }
  }
}

namespace {

/// One head's gradient: where its numbers are, and room for what is laid out anew.
struct HeadGradient {
  const AttentionShape& shape;
  const float *q, *k, *v, *dout;
  float *dq, *dk, *dv;
  int64_t row;  ///< from one pixel's q, k, v and their gradients to the next's
  float *weights, *gradient, *queries, *results;

  int64_t channels() const { return row / 3; }
  /// Of the queries [first, first + count).
  void block(int64_t first, int64_t count, const PackedMatrix& keys, const PackedMatrix& keys_by_row,
             const PackedMatrix& values) const {
    const int64_t stride = score_stride(shape.pixels);
    const float *of_queries = q + first * row, *of_results = dout + first * channels();
    gemm({of_queries, row, 1}, count, keys, {}, weights, stride);
    gemm({of_results, channels(), 1}, count, values, {}, gradient, stride);
    for (int64_t i = 0; i < count; ++i) {
      HWY_DYNAMIC_DISPATCH(softmax_row)(weights + i * stride, shape.pixels);
      HWY_DYNAMIC_DISPATCH(softmax_gradient_row)(weights + i * stride, gradient + i * stride, shape.pixels);
    }
    gemm({gradient, stride, 1}, count, keys_by_row, {}, dq + first * row, row);
    const GemmStart start = {.add = first > 0};
    gemm({gradient, 1, stride}, shape.pixels, pack_matrix({of_queries, row, 1}, count, shape.size, queries),
         start, dk, row);
    gemm({weights, 1, stride}, shape.pixels,
         pack_matrix({of_results, channels(), 1}, count, shape.size, results), start, dv, row);
  }
};

}  // namespace

int64_t attention_gradient_scratch(const AttentionShape& s) {
  return 2 * queries_together * score_stride(s.pixels) + 2 * packed_size(s.size, s.pixels) +
         packed_size(s.pixels, s.size) + 2 * packed_size(queries_together, s.size);
}

void attend_gradient(const AttentionShape& s, const float* qkv, const float* dout, float* dqkv,
                     float* scratch) {
  const int64_t channels = s.heads * s.size, row = 3 * channels;
  float *weights = scratch, *gradient = weights + queries_together * score_stride(s.pixels),
        *keys = gradient + queries_together * score_stride(s.pixels),
        *values = keys + packed_size(s.size, s.pixels), *by_row = values + packed_size(s.size, s.pixels),
        *queries = by_row + packed_size(s.pixels, s.size),
        *results = queries + packed_size(queries_together, s.size);
  for (int64_t head = 0; head < s.heads; ++head) {
    const float *q = qkv + head * s.size, *k = q + channels, *v = k + channels;
    float *dq = dqkv + head * s.size, *dk = dq + channels, *dv = dk + channels;
    const HeadGradient one = {s,       q,        k,       v,      dout + head * s.size, dq, dk, dv, row,
                              weights, gradient, queries, results};
    const PackedMatrix packed_keys = pack_matrix({k, 1, row}, s.size, s.pixels, keys),
                       packed_values = pack_matrix({v, 1, row}, s.size, s.pixels, values),
                       keys_by_row = pack_matrix({k, row, 1}, s.pixels, s.size, by_row);
    for (int64_t first = 0; first < s.pixels; first += queries_together)
      one.block(first, std::min(queries_together, s.pixels - first), packed_keys, keys_by_row, packed_values);
  }
}

}  // namespace fokker::kernel
#endif
