// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/image/winograd.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include "fokker/kernel/image/winograd.h"

#include <algorithm>

#include "fokker/kernel/matrix/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The points are 0, +-a, +-b and infinity with a^2 = 1/2, b^2 = 2.
constexpr float point_a = 0.70710678118654752f, point_b = 1.41421356237309505f;
constexpr float a_squared = 0.5f, b_squared = 2.0f;

/// B^T: values of the Lagrange polynomials' numerators, out[i] from six in[j].
template <class D, class V>
HWY_INLINE void transform_input(D d, const V (&in)[6], V (&out)[6]) {
  const V s = hn::Set(d, a_squared + b_squared);
  out[0] = hn::NegMulAdd(s, in[2], hn::Add(in[0], in[4]));
  const V even_a = hn::NegMulAdd(hn::Set(d, b_squared), in[2], in[4]);
  const V odd_a = hn::NegMulAdd(hn::Set(d, b_squared), in[1], in[3]);
  out[1] = hn::MulAdd(hn::Set(d, point_a), odd_a, even_a);
  out[2] = hn::NegMulAdd(hn::Set(d, point_a), odd_a, even_a);
  const V even_b = hn::NegMulAdd(hn::Set(d, a_squared), in[2], in[4]);
  const V odd_b = hn::NegMulAdd(hn::Set(d, a_squared), in[1], in[3]);
  out[3] = hn::MulAdd(hn::Set(d, point_b), odd_b, even_b);
  out[4] = hn::NegMulAdd(hn::Set(d, point_b), odd_b, even_b);
  out[5] = hn::NegMulAdd(s, in[3], hn::Add(in[1], in[5]));
}

/// A^T: out[k] = sum over points of point^k in[i].
template <class D, class V>
HWY_INLINE void transform_output(D d, const V (&in)[6], V (&out)[4]) {
  const V sum_a = hn::Add(in[1], in[2]), difference_a = hn::Sub(in[1], in[2]);
  const V sum_b = hn::Add(in[3], in[4]), difference_b = hn::Sub(in[3], in[4]);
  const V odd_a = hn::Mul(hn::Set(d, point_a), difference_a);
  const V odd_b = hn::Mul(hn::Set(d, point_b), difference_b);
  out[0] = hn::Add(in[0], hn::Add(sum_a, sum_b));
  out[1] = hn::Add(odd_a, odd_b);
  out[2] = hn::MulAdd(hn::Set(d, a_squared), sum_a, hn::Mul(hn::Set(d, b_squared), sum_b));
  out[3] = hn::MulAdd(hn::Set(d, a_squared), odd_a, hn::MulAdd(hn::Set(d, b_squared), odd_b, in[5]));
}

/// A: out[i] = sum over k of point_i^k in[k].
template <class D, class V>
HWY_INLINE void transform_output_gradient(D d, const V (&in)[4], V (&out)[6]) {
  out[0] = in[0];
  const V even_a = hn::MulAdd(hn::Set(d, a_squared), in[2], in[0]);
  const V odd_a = hn::MulAdd(hn::Set(d, a_squared), in[3], in[1]);
  out[1] = hn::MulAdd(hn::Set(d, point_a), odd_a, even_a);
  out[2] = hn::NegMulAdd(hn::Set(d, point_a), odd_a, even_a);
  const V even_b = hn::MulAdd(hn::Set(d, b_squared), in[2], in[0]);
  const V odd_b = hn::MulAdd(hn::Set(d, b_squared), in[3], in[1]);
  out[3] = hn::MulAdd(hn::Set(d, point_b), odd_b, even_b);
  out[4] = hn::NegMulAdd(hn::Set(d, point_b), odd_b, even_b);
  out[5] = in[3];
}

// Products over the other points: N_0 = 1, N_a = 2 a^2 (a^2 - b^2) = -3/2, N_b = 2 b^2 (b^2 - a^2) = 6.
constexpr float norm_a = -2.0f / 3, norm_b = 1.0f / 6;

/// G: the filter's values at the points over N.
template <class D, class V>
HWY_INLINE void transform_filter(D d, const V (&in)[3], V (&out)[6]) {
  out[0] = in[0];
  const V even_a = hn::Mul(hn::Set(d, norm_a), hn::MulAdd(hn::Set(d, a_squared), in[2], in[0]));
  const V even_b = hn::Mul(hn::Set(d, norm_b), hn::MulAdd(hn::Set(d, b_squared), in[2], in[0]));
  out[1] = hn::MulAdd(hn::Set(d, norm_a * point_a), in[1], even_a);
  out[2] = hn::NegMulAdd(hn::Set(d, norm_a * point_a), in[1], even_a);
  out[3] = hn::MulAdd(hn::Set(d, norm_b * point_b), in[1], even_b);
  out[4] = hn::NegMulAdd(hn::Set(d, norm_b * point_b), in[1], even_b);
  out[5] = in[2];
}

/// G^T.
template <class D, class V>
HWY_INLINE void transform_filter_gradient(D d, const V (&in)[6], V (&out)[3]) {
  const V sum_a = hn::Mul(hn::Set(d, norm_a), hn::Add(in[1], in[2]));
  const V sum_b = hn::Mul(hn::Set(d, norm_b), hn::Add(in[3], in[4]));
  out[0] = hn::Add(in[0], hn::Add(sum_a, sum_b));
  out[1] = hn::MulAdd(hn::Set(d, norm_a * point_a), hn::Sub(in[1], in[2]),
                      hn::Mul(hn::Set(d, norm_b * point_b), hn::Sub(in[3], in[4])));
  out[2] = hn::MulAdd(hn::Set(d, a_squared), sum_a, hn::MulAdd(hn::Set(d, b_squared), sum_b, in[5]));
}

// What the loops below do in both directions, one after the other: sizes and the one-dimensional transform.
struct InputMap {
  static constexpr int from = 6, to = 6;
  template <class D, class V>
  static HWY_INLINE void apply(D d, const V (&in)[6], V (&out)[6]) {
    transform_input(d, in, out);
  }
};
struct OutputMap {
  static constexpr int from = 6, to = 4;
  template <class D, class V>
  static HWY_INLINE void apply(D d, const V (&in)[6], V (&out)[4]) {
    transform_output(d, in, out);
  }
};
struct OutputGradientMap {
  static constexpr int from = 4, to = 6;
  template <class D, class V>
  static HWY_INLINE void apply(D d, const V (&in)[4], V (&out)[6]) {
    transform_output_gradient(d, in, out);
  }
};
struct FilterMap {
  static constexpr int from = 3, to = 6;
  template <class D, class V>
  static HWY_INLINE void apply(D d, const V (&in)[3], V (&out)[6]) {
    transform_filter(d, in, out);
  }
};
struct FilterGradientMap {
  static constexpr int from = 6, to = 3;
  template <class D, class V>
  static HWY_INLINE void apply(D d, const V (&in)[6], V (&out)[3]) {
    transform_filter_gradient(d, in, out);
  }
};

/// load(i, j) -> vectors of a square, map X map^T, store(i, j, vector).
template <class Map, class D, class Load, class Store>
HWY_INLINE void transform_square(D d, const Load& load, const Store& store) {
  using V = hn::Vec<D>;
  V half[Map::to][Map::from];
  HWY_UNROLL(6)
  for (int j = 0; j < Map::from; ++j) {
    V in[Map::from], out[Map::to];
    HWY_UNROLL(6)
    for (int i = 0; i < Map::from; ++i) in[i] = load(i, j);
    Map::apply(d, in, out);
    HWY_UNROLL(6)
    for (int i = 0; i < Map::to; ++i) half[i][j] = out[i];
  }
  HWY_UNROLL(6)
  for (int i = 0; i < Map::to; ++i) {
    V out[Map::to];
    Map::apply(d, half[i], out);
    HWY_UNROLL(6)
    for (int j = 0; j < Map::to; ++j) store(i, j, out[j]);
  }
}

void input_tile(const float* d, PixelStrides strides, int64_t channels, float* v, int64_t stride) {
  for_overlapping_vectors(channels, [&](auto tag, int64_t c) {
    transform_square<InputMap>(
        tag, [&](int i, int j) { return hn::LoadU(tag, d + i * strides.row + j * strides.pixel + c); },
        [&](int i, int j, auto value) { hn::StoreU(value, tag, v + (6 * i + j) * stride + c); });
  });
}

void output_gradient_tile(const float* d, PixelStrides strides, int64_t channels, float* v, int64_t stride,
                          int64_t panel) {
  // Vectors begin at multiples of their length, and so never straddle two panels.
  for_shortening_vectors<hn::CappedTag<float, gemm_panel / 2>>(0, channels, [&](auto tag, int64_t c) {
    float* to = v + c / gemm_panel * panel + c % gemm_panel;
    transform_square<OutputGradientMap>(
        tag, [&](int i, int j) { return hn::LoadU(tag, d + i * strides.row + j * strides.pixel + c); },
        [&](int i, int j, auto value) { hn::StoreU(value, tag, to + (6 * i + j) * stride); });
  });
}

void output_tile(const float* m, int64_t stride, int64_t channels, const WinogradOutput& o) {
  for_overlapping_vectors(channels, [&](auto tag, int64_t c) {
    const auto start = o.start ? hn::LoadU(tag, o.start + c) : hn::Zero(tag);
    transform_square<OutputMap>(
        tag, [&](int i, int j) { return hn::LoadU(tag, m + (6 * i + j) * stride + c); },
        [&](int i, int j, auto value) {
          if (i >= o.rows || j >= o.columns) return;
          value = hn::Add(value, start);
          const float* more = o.residual + i * o.residual_strides.row + j * o.residual_strides.pixel + c;
          if (o.residual) value = hn::Add(value, hn::LoadU(tag, more));
          hn::StoreU(value, tag, o.y + i * o.y_strides.row + j * o.y_strides.pixel + c);
        });
  });
}

/// One row of a panel: filters from `gather[tap][lane]` to the 36 factors; `turned` by half a turn.
void filter_row(const float* gather, bool turned, float* to, int64_t stride) {
  using Part = hn::CappedTag<float, gemm_panel>;
  const Part tag;
  const int64_t first = turned ? 8 * gemm_panel : 0, tap = turned ? -gemm_panel : gemm_panel;
  for (int64_t k = 0; k < gemm_panel; k += static_cast<int64_t>(hn::Lanes(tag)))
    transform_square<FilterMap>(
        tag, [&](int i, int j) { return hn::LoadU(tag, gather + first + (3 * i + j) * tap + k); },
        [&](int i, int j, auto value) { hn::StoreU(value, tag, to + (6 * i + j) * stride + k); });
}

void filter_gradient_row(const float* from, int64_t stride, int64_t count, float* taps) {
  for_overlapping_vectors(count, [&](auto tag, int64_t c) {
    transform_square<FilterGradientMap>(
        tag, [&](int i, int j) { return hn::LoadU(tag, from + (6 * i + j) * stride + c); },
        [&](int i, int j, auto value) { hn::StoreU(value, tag, taps + (3 * i + j) * gemm_panel + c); });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(input_tile);
HWY_EXPORT(output_tile);
HWY_EXPORT(output_gradient_tile);
HWY_EXPORT(filter_row);
HWY_EXPORT(filter_gradient_row);

void winograd_input(const float* d, PixelStrides strides, int64_t channels, float* v, int64_t stride) {
  HWY_DYNAMIC_DISPATCH(input_tile)(d, strides, channels, v, stride);
}

void winograd_output(const float* m, int64_t stride, int64_t channels, const WinogradOutput& output) {
  HWY_DYNAMIC_DISPATCH(output_tile)(m, stride, channels, output);
}

void winograd_output_gradient(const float* d, PixelStrides strides, int64_t channels, float* v,
                              int64_t stride, int64_t panel) {
  HWY_DYNAMIC_DISPATCH(output_gradient_tile)(d, strides, channels, v, stride, panel);
}

void winograd_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, int64_t panel,
                      float* panels) {
  const int64_t rows = transposed ? outputs : inputs, columns = transposed ? inputs : outputs;
  const int64_t row_stride = 9 * (transposed ? inputs : 1), column_stride = 9 * (transposed ? 1 : inputs);
  const int64_t first = panel * gemm_panel, count = std::min(gemm_panel, columns - first);
  // Filters that follow one another in memory become columns together.
  const int64_t together = transposed ? 1 : 4;
  float gather[gemm_panel * 9 * 4];
  for (int64_t r = 0; r < rows; ++r) {
    if (r % together == 0)
      pack_matrix({g + r * row_stride + first * column_stride, 1, column_stride},
                  9 * std::min(together, rows - r), count, gather);
    HWY_DYNAMIC_DISPATCH(filter_row)
    (gather + r % together * 9 * gemm_panel, transposed, panels + (first * rows + r * gemm_panel),
     winograd_stride(packed_size(rows, columns)));
  }
}

void winograd_filter_gradient(const float* u, int64_t outputs, int64_t inputs, int64_t panel, float* dg) {
  const int64_t first = panel * gemm_panel, count = std::min(gemm_panel, outputs - first);
  for (int64_t c = 0; c < inputs; ++c) {
    float taps[9 * gemm_panel];
    HWY_DYNAMIC_DISPATCH(filter_gradient_row)
    (u + c * outputs + first, winograd_stride(inputs * outputs), count, taps);
    for (int64_t lane = 0; lane < count; ++lane)
      for (int64_t tap = 0; tap < 9; ++tap)
        dg[((first + lane) * inputs + c) * 9 + tap] = taps[tap * gemm_panel + lane];
  }
}

}  // namespace fokker::kernel
#endif
