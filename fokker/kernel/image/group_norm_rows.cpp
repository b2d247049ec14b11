// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/image/group_norm_rows.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/activation-inl.h"
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include "fokker/kernel/image/group_norm_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "fokker/kernel/vector/sums.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors lie along the channels, and each is carried through a few pixels in registers.

/// x sigmoid(x) and its derivative, in either type.
template <class D, class V, hwy::EnableIf<sizeof(hn::TFromD<D>) == 4>* = nullptr>
HWY_INLINE V row_sigmoid(D d, V x) {
  return sigmoid(d, x);
}
template <class D, class V, hwy::EnableIf<sizeof(hn::TFromD<D>) == 8>* = nullptr>
HWY_INLINE V row_sigmoid(D d, V x) {
  // Exp holds up to 706: what is beyond comes out as 1e-306, and NaN, which Min would lose, as itself.
  const V one = hn::Set(d, 1.0), power = hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 706.0)));
  return unless_nan(x, hn::Div(one, hn::Add(one, power)));
}

/// sum and square: of (x - shift) and its square over some pixels.
template <class D, typename T = hn::TFromD<D>>
HWY_INLINE void shifted_sums(D d, const T* rows, int64_t stride, int64_t pixels, int64_t channels,
                             const T* shift, T* sum, T* square) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for_vector_groups<4>(d, channels, [&](auto n, auto access, int64_t c) HWY_ATTR {
    hn::Vec<D> centre[n], first[n], second[n];
    for (size_t v = 0; v < n; ++v) {
      centre[v] = access.load(d, shift + c + v * lanes);
      first[v] = second[v] = hn::Zero(d);
    }
    const T* row = rows + c;
    for (int64_t i = 0; i < pixels; ++i, row += stride)
      for (size_t v = 0; v < n; ++v) {
        const auto offset = hn::Sub(access.load(d, row + v * lanes), centre[v]);
        first[v] = hn::Add(first[v], offset);
        second[v] = hn::MulAdd(offset, offset, second[v]);
      }
    for (size_t v = 0; v < n; ++v) {
      access.store(first[v], d, sum + c + v * lanes);
      access.store(second[v], d, square + c + v * lanes);
    }
  });
}

/// Takes the sums of `count` pixels into means and sums of squared deviations of the `before` ones.
template <typename T>
HWY_INLINE void merge_moments(int64_t before, int64_t count, int64_t channels, const T* shift, const T* sum,
                              const T* square, double* mean, double* squares) {
  const hn::ScalableTag<double> d;
  const double all = static_cast<double>(before + count), share = static_cast<double>(count) / all;
  const auto inverse = hn::Set(d, 1 / static_cast<double>(count)), part = hn::Set(d, share);
  const auto weight = hn::Set(d, static_cast<double>(before) * share);
  for_vectors(d, channels, [&](auto access, int64_t c) HWY_ATTR {
    const auto total = load_doubles(access, d, sum + c), offset = hn::Mul(total, inverse);
    const auto old = access.load(d, mean + c);
    const auto delta = hn::Sub(hn::Add(load_doubles(access, d, shift + c), offset), old);
    access.store(hn::MulAdd(part, delta, old), d, mean + c);
    const auto within = hn::NegMulAdd(total, offset, load_doubles(access, d, square + c));
    const auto between = hn::Mul(weight, hn::Mul(delta, delta));
    access.store(hn::Add(access.load(d, squares + c), hn::Add(within, between)), d, squares + c);
  });
}

/// The shift is the mean so far, of a few pixels at first. A later part whose mean is d away from it adds
/// about d^2 a pixel to the sum of squared deviations, and so cancels no more than it adds (Chan, Golub and
/// LeVeque 1983). `numbers`: room for 3 * channels, which hold zeros, as do mean and squares.
template <typename T>
HWY_INLINE void channel_moments(const T* rows, int64_t stride, int64_t pixels, int64_t channels, T* numbers,
                                double* mean, double* squares) {
  const hn::ScalableTag<T> d;
  T *shift = numbers, *sum = shift + channels, *square = sum + channels;
  for (int64_t first = 0; first < pixels; first += terms_together) {
    const int64_t count = std::min(terms_together, pixels - first);
    const T* part = rows + first * stride;
    if (first == 0) {
      shifted_sums(d, part, stride, count, channels, shift, sum, square);
      for (int64_t c = 0; c < channels; ++c) shift[c] = sum[c] / static_cast<T>(count);
    } else {
      for (int64_t c = 0; c < channels; ++c) shift[c] = static_cast<T>(mean[c]);
    }
    shifted_sums(d, part, stride, count, channels, shift, sum, square);
    merge_moments(first, count, channels, shift, sum, square, mean, squares);
  }
}

/// body(first, count) for parts of the pixels: what they hold stays in cache from one vector of channels to
/// the next.
template <class Body>
HWY_INLINE void for_pixel_parts(int64_t pixels, const Body& body) {
  for (int64_t first = 0; first < pixels; first += terms_together)
    body(first, std::min(terms_together, pixels - first));
}

/// The affine maps of n vectors of channels from c on.
template <size_t N, class D, class V = hn::Vec<D>>
struct LoadedMaps {
  V scale[N], centre[N], shift[N];
  template <class Access, typename T = hn::TFromD<D>>
  HWY_INLINE LoadedMaps(D d, Access access, const ChannelMaps<T>& maps, int64_t c) {
    for (size_t v = 0; v < N; ++v, c += static_cast<int64_t>(hn::Lanes(d))) {
      scale[v] = access.load(d, maps.scale + c);
      centre[v] = access.load(d, maps.centre + c);
      shift[v] = access.load(d, maps.shift + c);
    }
  }
};

template <bool kSilu, typename T>
HWY_INLINE void apply(const T* x, int64_t stride, int64_t pixels, int64_t channels,
                      const ChannelMaps<T>& maps, T* out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for_pixel_parts(pixels, [&](int64_t first, int64_t count) HWY_ATTR {
    for_vector_groups<4>(d, channels, [&](auto n, auto access, int64_t c) HWY_ATTR {
      const LoadedMaps<n, decltype(d)> map(d, access, maps, c);
      for (int64_t i = first; i < first + count; ++i)
        for (size_t v = 0; v < n; ++v) {
          const int64_t k = c + v * lanes;
          const auto offset = hn::Sub(access.load(d, x + i * stride + k), map.centre[v]);
          const auto y = hn::MulAdd(map.scale[v], offset, map.shift[v]);
          access.store(kSilu ? hn::Mul(y, row_sigmoid(d, y)) : y, d, out + i * channels + k);
        }
    });
  });
}

/// The same for a few pixels: out, and in `shifted` and `plain` the sums of out (x - centre) and of out.
template <bool kSilu, typename T>
HWY_INLINE void gradient_part(const T* x, int64_t stride, const T* g, int64_t pixels, int64_t channels,
                              const ChannelMaps<T>& maps, T* out, T* shifted, T* plain) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, T(1));
  for_vector_groups<4>(d, channels, [&](auto n, auto access, int64_t c) HWY_ATTR {
    const LoadedMaps<n, decltype(d)> map(d, access, maps, c);
    hn::Vec<decltype(d)> with_offset[n], alone[n];
    for (size_t v = 0; v < n; ++v) with_offset[v] = alone[v] = hn::Zero(d);
    for (int64_t i = 0; i < pixels; ++i)
      for (size_t v = 0; v < n; ++v) {
        const int64_t k = c + v * lanes, at = i * channels + k;
        const auto offset = hn::Sub(access.load(d, x + i * stride + k), map.centre[v]);
        auto slope = access.load(d, g + at);
        if constexpr (kSilu) {
          const auto y = hn::MulAdd(map.scale[v], offset, map.shift[v]), s = row_sigmoid(d, y);
          slope = hn::Mul(slope, hn::Mul(s, hn::MulAdd(y, hn::Sub(one, s), one)));
        }
        access.store(slope, d, out + at);
        with_offset[v] = hn::MulAdd(slope, offset, with_offset[v]);
        alone[v] = hn::Add(alone[v], slope);
      }
    for (size_t v = 0; v < n; ++v) {
      access.store(with_offset[v], d, shifted + c + v * lanes);
      access.store(alone[v], d, plain + c + v * lanes);
    }
  });
}

/// `numbers`: room for 2 * channels.
template <bool kSilu, typename T>
HWY_INLINE void activation_gradient(const T* x, int64_t stride, const T* g, int64_t pixels, int64_t channels,
                                    const ChannelMaps<T>& maps, T* out, T* numbers,
                                    const GradientSums& sums) {
  T *shifted = numbers, *plain = shifted + channels;
  std::fill_n(sums.shifted, channels, 0.0);
  std::fill_n(sums.plain, channels, 0.0);
  for_pixel_parts(pixels, [&](int64_t first, int64_t count) HWY_ATTR {
    const int64_t at = first * channels;
    gradient_part<kSilu>(x + first * stride, stride, g + at, count, channels, maps, out + at, shifted, plain);
    add_to_doubles(shifted, channels, sums.shifted);
    add_to_doubles(plain, channels, sums.plain);
  });
}

template <typename T>
HWY_INLINE void combine(const T* x, int64_t stride, const T* g, int64_t pixels, int64_t channels,
                        const ChannelMaps<T>& maps, const T* slope, const InputGradient<T>& out) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for_pixel_parts(pixels, [&](int64_t first, int64_t count) HWY_ATTR {
    for_vector_groups<4>(d, channels, [&](auto n, auto access, int64_t c) HWY_ATTR {
      const LoadedMaps<n, decltype(d)> map(d, access, maps, c);
      hn::Vec<decltype(d)> steep[n];
      for (size_t v = 0; v < n; ++v) steep[v] = access.load(d, slope + c + v * lanes);
      for (int64_t i = first; i < first + count; ++i)
        for (size_t v = 0; v < n; ++v) {
          const int64_t k = c + v * lanes;
          const auto offset = hn::Sub(access.load(d, x + i * stride + k), map.centre[v]);
          const auto of_x = hn::MulAdd(steep[v], offset, map.shift[v]);
          auto sum = hn::MulAdd(map.scale[v], access.load(d, g + i * channels + k), of_x);
          T* to = out.rows + i * out.stride + k;
          if (out.more) sum = hn::Add(sum, access.load(d, out.more + i * out.more_stride + k));
          if (out.add) sum = hn::Add(sum, access.load(d, to));
          access.store(sum, d, to);
        }
    });
  });
}

// Tables of functions hold no templates.
#define FOKKER_ROWS(T)                                                                                       \
  void moments_##T(const T* x, int64_t stride, int64_t p, int64_t n, T* numbers, double* mean,               \
                   double* squares) {                                                                        \
    channel_moments(x, stride, p, n, numbers, mean, squares);                                                \
  }                                                                                                          \
  void apply_##T(const T* x, int64_t stride, int64_t p, int64_t n, const ChannelMaps<T>& maps, bool silu,    \
                 T* out) {                                                                                   \
    silu ? apply<true>(x, stride, p, n, maps, out) : apply<false>(x, stride, p, n, maps, out);               \
  }                                                                                                          \
  void gradient_##T(const T* x, int64_t stride, const T* g, int64_t p, int64_t n,                            \
                    const ChannelMaps<T>& maps, bool silu, T* out, T* numbers, const GradientSums& sums) {   \
    silu ? activation_gradient<true>(x, stride, g, p, n, maps, out, numbers, sums)                           \
         : activation_gradient<false>(x, stride, g, p, n, maps, out, numbers, sums);                         \
  }                                                                                                          \
  void combine_##T(const T* x, int64_t stride, const T* g, int64_t p, int64_t n, const ChannelMaps<T>& maps, \
                   const T* slope, const InputGradient<T>& out) {                                            \
    combine(x, stride, g, p, n, maps, slope, out);                                                           \
  }

FOKKER_ROWS(float)
FOKKER_ROWS(double)
#undef FOKKER_ROWS

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

#define FOKKER_ROWS(T)                                                                                   \
  HWY_EXPORT(moments_##T);                                                                               \
  HWY_EXPORT(apply_##T);                                                                                 \
  HWY_EXPORT(gradient_##T);                                                                              \
  HWY_EXPORT(combine_##T);                                                                               \
  template <>                                                                                            \
  void group_moments<T>(const T* rows, int64_t stride, int64_t pixels, int64_t channels, int64_t groups, \
                        double eps, double* mean, double* rstd) {                                        \
    std::vector<double> numbers(static_cast<size_t>(2 * channels));                                      \
    double *means = numbers.data(), *squares = means + channels;                                         \
    std::vector<T> room(static_cast<size_t>(3 * channels));                                              \
    HWY_DYNAMIC_DISPATCH(moments_##T)(rows, stride, pixels, channels, room.data(), means, squares);      \
    moments_of_groups(means, squares, pixels, channels, groups, eps, mean, rstd);                        \
  }                                                                                                      \
  template <>                                                                                            \
  void apply_rows<T>(const T* x, int64_t stride, int64_t pixels, int64_t channels,                       \
                     const ChannelMaps<T>& maps, bool silu, T* out) {                                    \
    HWY_DYNAMIC_DISPATCH(apply_##T)(x, stride, pixels, channels, maps, silu, out);                       \
  }                                                                                                      \
  template <>                                                                                            \
  void activation_gradient_rows<T>(const T* x, int64_t stride, const T* gradient, int64_t pixels,        \
                                   int64_t channels, const ChannelMaps<T>& maps, bool silu, T* out,      \
                                   const GradientSums& sums) {                                           \
    std::vector<T> room(static_cast<size_t>(2 * channels));                                              \
    HWY_DYNAMIC_DISPATCH(gradient_##T)                                                                   \
    (x, stride, gradient, pixels, channels, maps, silu, out, room.data(), sums);                         \
  }                                                                                                      \
  template <>                                                                                            \
  void combine_rows<T>(const T* x, int64_t stride, const T* gradient, int64_t pixels, int64_t channels,  \
                       const ChannelMaps<T>& maps, const T* slope, const InputGradient<T>& out) {        \
    HWY_DYNAMIC_DISPATCH(combine_##T)(x, stride, gradient, pixels, channels, maps, slope, out);          \
  }

FOKKER_ROWS(float);
FOKKER_ROWS(double);

}  // namespace fokker::kernel
#endif
