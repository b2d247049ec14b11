// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/image/group_norm_rows.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/image/group_norm_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

// A comparison may trap, in principle, which keeps GCC from vectorising the choices in the exponential.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {

// Plain loops, which the compiler vectorises for each target.

/// Pixels whose sums stay in the type of the values.
constexpr int64_t pixels_together = 64;

/// exp(x) = 2^k exp(r), |r| <= log(2)/2, by a polynomial that the compiler can vectorise; within 2 ulp, and
/// 0, infinite or NaN as the exponential is.
HWY_INLINE float row_exponential(float x) {
  float within = x < -87.0f ? -87.0f : x;
  within = within > 88.0f ? 88.0f : within;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float k = (within * 1.44269504f + magic) - magic;
  const float r = (within - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = (p * r + 1.0f) * r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(k) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  const float value = x < -87.0f ? 0.0f : p * power;
  return x > 88.0f ? std::numeric_limits<float>::infinity() : value;
}
HWY_INLINE double row_exponential(double x) {
  return std::exp(x);
}

template <typename T>
HWY_INLINE T row_sigmoid(T x) {
  return T(1) / (T(1) + row_exponential(-x));
}

/// sum and square: of (x - shift) and its square over some pixels.
template <typename T>
HWY_INLINE void shifted_sums(const T* rows, int64_t stride, int64_t pixels, int64_t channels,
                             const T* HWY_RESTRICT shift, T* HWY_RESTRICT sum, T* HWY_RESTRICT square) {
  std::fill_n(sum, channels, T(0));
  std::fill_n(square, channels, T(0));
  for (int64_t i = 0; i < pixels; ++i) {
    const T* HWY_RESTRICT row = rows + i * stride;
    for (int64_t c = 0; c < channels; ++c) {
      const T d = row[c] - shift[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

/// The shift is the mean so far, of a few pixels at first. A later part whose mean is d away from it adds
/// about d^2 a pixel to the sum of squared deviations, and so cancels no more than it adds (Chan, Golub and
/// LeVeque 1983). `numbers`: room for 3 * channels, which hold zeros, as do mean and squares.
template <typename T>
HWY_INLINE void channel_moments(const T* rows, int64_t stride, int64_t pixels, int64_t channels, T* numbers,
                                double* HWY_RESTRICT mean, double* HWY_RESTRICT squares) {
  T *shift = numbers, *sum = shift + channels, *square = sum + channels;
  for (int64_t first = 0; first < pixels; first += pixels_together) {
    const int64_t count = std::min(pixels_together, pixels - first);
    const T* part = rows + first * stride;
    if (first == 0) {
      shifted_sums(part, stride, count, channels, shift, sum, square);
      for (int64_t c = 0; c < channels; ++c) shift[c] = sum[c] / static_cast<T>(count);
    } else {
      for (int64_t c = 0; c < channels; ++c) shift[c] = static_cast<T>(mean[c]);
    }
    shifted_sums(part, stride, count, channels, shift, sum, square);
    const double inverse = 1.0 / static_cast<double>(count);
    const double share = static_cast<double>(count) / static_cast<double>(first + count);
    for (int64_t c = 0; c < channels; ++c) {
      const double offset = sum[c] * inverse, delta = shift[c] + offset - mean[c];
      mean[c] += share * delta;
      squares[c] += square[c] - sum[c] * offset + static_cast<double>(first) * share * delta * delta;
    }
  }
}

template <typename T>
HWY_INLINE void apply(const T* HWY_RESTRICT x, int64_t pixels, int64_t channels, const T* HWY_RESTRICT a,
                      const T* HWY_RESTRICT m, const T* HWY_RESTRICT b, bool silu, T* HWY_RESTRICT out) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += channels) {
    if (silu) {
      for (int64_t c = 0; c < channels; ++c) {
        const T y = a[c] * (x[c] - m[c]) + b[c];
        out[c] = y * row_sigmoid(y);
      }
    } else {
      for (int64_t c = 0; c < channels; ++c) out[c] = a[c] * (x[c] - m[c]) + b[c];
    }
  }
}

/// The same for a few pixels, adding to sums.
template <typename T>
HWY_INLINE void gradient_part(const T* HWY_RESTRICT x, const T* HWY_RESTRICT g, int64_t pixels,
                              int64_t channels, const T* HWY_RESTRICT a, const T* HWY_RESTRICT m,
                              const T* HWY_RESTRICT b, bool silu, T* HWY_RESTRICT out,
                              T* HWY_RESTRICT shifted, T* HWY_RESTRICT plain) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, g += channels, out += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const T offset = x[c] - m[c];
      T d = g[c];
      if (silu) {
        const T y = a[c] * offset + b[c], s = row_sigmoid(y);
        d *= s * (T(1) + y * (T(1) - s));
      }
      out[c] = d;
      shifted[c] += d * offset;
      plain[c] += d;
    }
  }
}

/// `numbers`: room for 2 * channels.
template <typename T>
HWY_INLINE void activation_gradient(const T* x, const T* g, int64_t pixels, int64_t channels,
                                    const ChannelMaps<T>& maps, bool silu, T* out, T* numbers,
                                    const GradientSums& sums) {
  T *shifted = numbers, *plain = shifted + channels;
  std::fill_n(sums.shifted, channels, 0.0);
  std::fill_n(sums.plain, channels, 0.0);
  for (int64_t first = 0; first < pixels; first += pixels_together) {
    const int64_t count = std::min(pixels_together, pixels - first), at = first * channels;
    std::fill_n(shifted, 2 * channels, T(0));
    if (silu)
      gradient_part(x + at, g + at, count, channels, maps.scale, maps.centre, maps.shift, true, out + at,
                    shifted, plain);
    else
      gradient_part(x + at, g + at, count, channels, maps.scale, maps.centre, maps.shift, false, out + at,
                    shifted, plain);
    for (int64_t c = 0; c < channels; ++c) {
      sums.shifted[c] += shifted[c];
      sums.plain[c] += plain[c];
    }
  }
}

template <typename T>
HWY_INLINE void combine(const T* HWY_RESTRICT x, int64_t pixels, int64_t channels, const T* HWY_RESTRICT a,
                        const T* HWY_RESTRICT m, const T* HWY_RESTRICT b, const T* HWY_RESTRICT slope,
                        T* HWY_RESTRICT out) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += channels)
    for (int64_t c = 0; c < channels; ++c) out[c] = a[c] * out[c] + slope[c] * (x[c] - m[c]) + b[c];
}

// Tables of functions hold no templates.
#define FOKKER_ROWS(T)                                                                                     \
  void moments_##T(const T* x, int64_t stride, int64_t p, int64_t n, T* numbers, double* mean,             \
                   double* squares) {                                                                      \
    channel_moments(x, stride, p, n, numbers, mean, squares);                                              \
  }                                                                                                        \
  void apply_##T(const T* x, int64_t p, int64_t n, const ChannelMaps<T>& maps, bool silu, T* out) {        \
    apply(x, p, n, maps.scale, maps.centre, maps.shift, silu, out);                                        \
  }                                                                                                        \
  void gradient_##T(const T* x, const T* g, int64_t p, int64_t n, const ChannelMaps<T>& maps, bool silu,   \
                    T* out, T* numbers, const GradientSums& sums) {                                        \
    activation_gradient(x, g, p, n, maps, silu, out, numbers, sums);                                       \
  }                                                                                                        \
  void combine_##T(const T* x, int64_t p, int64_t n, const ChannelMaps<T>& maps, const T* slope, T* out) { \
    combine(x, p, n, maps.scale, maps.centre, maps.shift, slope, out);                                     \
  }

FOKKER_ROWS(float)
FOKKER_ROWS(double)
#undef FOKKER_ROWS

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

template <typename T>
void affine_maps(const double* mean, const double* rstd, const T* weight, const T* bias, int64_t channels,
                 int64_t groups, const ChannelMaps<T>& maps) {
  const int64_t size = channels / groups;
  for (int64_t c = 0; c < channels; ++c) {
    const double slope = rstd[c / size] * weight[c];
    const T centre = static_cast<T>(mean[c / size]);
    maps.scale[c] = static_cast<T>(slope);
    maps.centre[c] = centre;
    maps.shift[c] = static_cast<T>(bias[c] - (mean[c / size] - centre) * slope);
  }
}

// With u = weight f' dy and z the normalised x: dx = rstd (u - mean(u) - z mean(u z)), means over the group.
template <typename T>
void input_maps(const double* mean, const double* rstd, const T* weight, const GradientSums& sums,
                int64_t pixels, int64_t channels, int64_t groups, const ChannelMaps<T>& maps, T* slope) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    const double off_centre = mean[g] - maps.centre[g * size];
    double mean_u = 0, mean_uz = 0;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      const double sum_z = (sums.shifted[k] - off_centre * sums.plain[k]) * rstd[g];
      sums.shifted[k] = sum_z;
      mean_u += weight[k] * sums.plain[k];
      mean_uz += weight[k] * sum_z;
    }
    const double count = static_cast<double>(size * pixels);
    const double steepness = -rstd[g] * rstd[g] * mean_uz / count;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      maps.scale[k] = static_cast<T>(rstd[g] * weight[k]);
      maps.shift[k] = static_cast<T>(-rstd[g] * mean_u / count - steepness * off_centre);
      slope[k] = static_cast<T>(steepness);
    }
  }
}

namespace {

/// Of each group, from its channels' means and sums of squared deviations.
void moments_of_groups(const double* means, const double* squares, int64_t pixels, int64_t channels,
                       int64_t groups, double eps, double* mean, double* rstd) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double total = 0, variance = 0;
    for (int64_t c = g * size; c < (g + 1) * size; ++c) total += means[c];
    const double centre = total / static_cast<double>(size);
    // Variance = mean over channels of (variance within + (channel mean - group mean)^2).
    for (int64_t c = g * size; c < (g + 1) * size; ++c) {
      const double offset = means[c] - centre;
      variance += squares[c] / static_cast<double>(pixels) + offset * offset;
    }
    mean[g] = centre;
    // NaN stays NaN: it is the first operand.
    rstd[g] = 1 / std::sqrt(std::max(variance / static_cast<double>(size), 0.0) + eps);
  }
}

}  // namespace

#define FOKKER_ROWS(T)                                                                                    \
  HWY_EXPORT(moments_##T);                                                                                \
  HWY_EXPORT(apply_##T);                                                                                  \
  HWY_EXPORT(gradient_##T);                                                                               \
  HWY_EXPORT(combine_##T);                                                                                \
  template <>                                                                                             \
  void group_moments<T>(const T* rows, int64_t stride, int64_t pixels, int64_t channels, int64_t groups,  \
                        double eps, double* mean, double* rstd) {                                         \
    std::vector<double> numbers(static_cast<size_t>(2 * channels));                                       \
    double *means = numbers.data(), *squares = means + channels;                                          \
    std::vector<T> room(static_cast<size_t>(3 * channels));                                               \
    HWY_DYNAMIC_DISPATCH(moments_##T)(rows, stride, pixels, channels, room.data(), means, squares);       \
    moments_of_groups(means, squares, pixels, channels, groups, eps, mean, rstd);                         \
  }                                                                                                       \
  template <>                                                                                             \
  void apply_rows<T>(const T* x, int64_t pixels, int64_t channels, const ChannelMaps<T>& maps, bool silu, \
                     T* out) {                                                                            \
    HWY_DYNAMIC_DISPATCH(apply_##T)(x, pixels, channels, maps, silu, out);                                \
  }                                                                                                       \
  template <>                                                                                             \
  void activation_gradient_rows<T>(const T* x, const T* g, int64_t pixels, int64_t channels,              \
                                   const ChannelMaps<T>& maps, bool silu, T* out,                         \
                                   const GradientSums& sums) {                                            \
    std::vector<T> room(static_cast<size_t>(2 * channels));                                               \
    HWY_DYNAMIC_DISPATCH(gradient_##T)(x, g, pixels, channels, maps, silu, out, room.data(), sums);       \
  }                                                                                                       \
  template <>                                                                                             \
  void combine_rows<T>(const T* x, int64_t pixels, int64_t channels, const ChannelMaps<T>& maps,          \
                       const T* slope, T* out) {                                                          \
    HWY_DYNAMIC_DISPATCH(combine_##T)(x, pixels, channels, maps, slope, out);                             \
  }                                                                                                       \
  template void affine_maps(const double*, const double*, const T*, const T*, int64_t, int64_t,           \
                            const ChannelMaps<T>&);                                                       \
  template void input_maps(const double*, const double*, const T*, const GradientSums&, int64_t, int64_t, \
                           int64_t, const ChannelMaps<T>&, T*)

FOKKER_ROWS(float);
FOKKER_ROWS(double);

}  // namespace fokker::kernel
#endif
