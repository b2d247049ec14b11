#include "fokker/kernel/group_norm_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "fokker/kernel/vector_clones.h"

// A comparison may trap, in principle, which keeps GCC from vectorising the clamps in the exponential.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

namespace fokker {
namespace {

// exp(x) = 2^k exp(r), |r| <= log(2)/2, by a polynomial that the compiler can vectorise; within 2 ulp.
inline __attribute__((always_inline)) float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float k = (x * 1.44269504f + magic) - magic;
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(k) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}
inline __attribute__((always_inline)) double exponential(double x) {
  return std::exp(x);
}

template <typename T>
inline __attribute__((always_inline)) T sigmoid(T x) {
  return T(1) / (T(1) + exponential(-x));
}

// Sums of (x - x0) and its square in each channel, where x0 is the first row: a common offset cancels
// nothing.
template <typename T>
inline __attribute__((always_inline)) void shifted_sums(const T* __restrict rows, int64_t stride,
                                                        int64_t pixels, int64_t channels, T* __restrict sum,
                                                        T* __restrict square) {
  std::fill_n(sum, channels, T(0));
  std::fill_n(square, channels, T(0));
  for (int64_t i = 1; i < pixels; ++i) {
    const T* __restrict row = rows + i * stride;
    for (int64_t c = 0; c < channels; ++c) {
      const T d = row[c] - rows[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

template <typename T>
inline __attribute__((always_inline)) void apply(const T* __restrict x, int64_t pixels, int64_t channels,
                                                 const T* __restrict a, const T* __restrict b, bool silu,
                                                 T* __restrict out) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += channels) {
    if (silu) {
      for (int64_t c = 0; c < channels; ++c) {
        const T y = a[c] * x[c] + b[c];
        out[c] = y * sigmoid(y);
      }
    } else {
      for (int64_t c = 0; c < channels; ++c) out[c] = a[c] * x[c] + b[c];
    }
  }
}

template <typename T>
inline __attribute__((always_inline)) void gradient_sums(const T* __restrict x, const T* __restrict g,
                                                         int64_t pixels, int64_t channels,
                                                         const T* __restrict a, const T* __restrict b,
                                                         bool silu, T* __restrict out, T* __restrict sum_x,
                                                         T* __restrict sum) {
  std::fill_n(sum_x, channels, T(0));
  std::fill_n(sum, channels, T(0));
  const T* first = x;
  for (int64_t i = 0; i < pixels; ++i, x += channels, g += channels, out += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      T d = g[c];
      if (silu) {
        const T y = a[c] * x[c] + b[c], s = sigmoid(y);
        d *= s * (T(1) + y * (T(1) - s));
      }
      out[c] = d;
      sum_x[c] += d * (x[c] - first[c]);
      sum[c] += d;
    }
  }
  for (int64_t c = 0; c < channels; ++c) sum_x[c] += sum[c] * first[c];
}

template <typename T>
inline __attribute__((always_inline)) void combine(const T* __restrict x, int64_t pixels, int64_t channels,
                                                   const T* __restrict a, const T* __restrict b,
                                                   const T* __restrict k, T* __restrict out) {
  for (int64_t i = 0; i < pixels; ++i, x += channels, out += channels)
    for (int64_t c = 0; c < channels; ++c) out[c] = a[c] * out[c] + b[c] * x[c] + k[c];
}

FOKKER_VECTOR_CLONES void sums(const float* x, int64_t stride, int64_t p, int64_t c, float* s, float* q) {
  shifted_sums(x, stride, p, c, s, q);
}
FOKKER_VECTOR_CLONES void sums(const double* x, int64_t stride, int64_t p, int64_t c, double* s, double* q) {
  shifted_sums(x, stride, p, c, s, q);
}
}  // namespace

template <typename T>
void group_moments(const T* rows, int64_t stride, int64_t pixels, int64_t channels, int64_t groups,
                   double eps, double* mean, double* rstd) {
  std::vector<T> sum(channels), square(channels);
  sums(rows, stride, pixels, channels, sum.data(), square.data());
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double total = 0;
    for (int64_t c = g * size; c < (g + 1) * size; ++c)
      total += rows[c] + static_cast<double>(sum[c]) / pixels;
    const double centre = total / size;
    // Variance = mean over channels of (variance within + (channel mean - group mean)^2).
    double variance = 0;
    for (int64_t c = g * size; c < (g + 1) * size; ++c) {
      const double shifted = static_cast<double>(sum[c]) / pixels, offset = rows[c] + shifted - centre;
      variance += static_cast<double>(square[c]) / pixels - shifted * shifted + offset * offset;
    }
    mean[g] = centre;
    rstd[g] = 1 / std::sqrt(std::max(variance / size, 0.0) + eps);
  }
}

template <typename T>
void affine_coefficients(const double* mean, const double* rstd, const T* scale, const T* shift,
                         int64_t channels, int64_t groups, T* a, T* b) {
  const int64_t size = channels / groups;
  for (int64_t c = 0; c < channels; ++c) {
    const double slope = rstd[c / size] * scale[c];
    a[c] = static_cast<T>(slope);
    b[c] = static_cast<T>(shift[c] - mean[c / size] * slope);
  }
}

// With u = scale f' dy and z the normalised x: dx = rstd (u - mean(u) - z mean(u z)), means over the group.
template <typename T>
void input_coefficients(const double* mean, const double* rstd, const T* scale, T* sum_x, const T* sum,
                        int64_t pixels, int64_t channels, int64_t groups, T* a, T* b, T* c) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double mean_u = 0, mean_uz = 0;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      const double sum_z = (sum_x[k] - mean[g] * sum[k]) * rstd[g];
      sum_x[k] = static_cast<T>(sum_z);
      mean_u += static_cast<double>(scale[k]) * sum[k];
      mean_uz += static_cast<double>(scale[k]) * sum_z;
    }
    const double count = static_cast<double>(size * pixels);
    const double slope = -rstd[g] * rstd[g] * mean_uz / count;
    for (int64_t k = g * size; k < (g + 1) * size; ++k) {
      a[k] = static_cast<T>(rstd[g] * scale[k]);
      b[k] = static_cast<T>(slope);
      c[k] = static_cast<T>(-rstd[g] * mean_u / count - slope * mean[g]);
    }
  }
}

#define FOKKER_ROWS(T)                                                                                       \
  template <>                                                                                                \
  FOKKER_VECTOR_CLONES void apply_rows<T>(const T* x, int64_t p, int64_t n, const T* a, const T* b,          \
                                          bool silu, T* out) {                                               \
    apply(x, p, n, a, b, silu, out);                                                                         \
  }                                                                                                          \
  template <>                                                                                                \
  FOKKER_VECTOR_CLONES void activation_gradient_rows<T>(const T* x, const T* g, int64_t p, int64_t n,        \
                                                        const T* a, const T* b, bool silu, T* out, T* sum_x, \
                                                        T* sum) {                                            \
    if (silu)                                                                                                \
      gradient_sums(x, g, p, n, a, b, true, out, sum_x, sum);                                                \
    else                                                                                                     \
      gradient_sums(x, g, p, n, a, b, false, out, sum_x, sum);                                               \
  }                                                                                                          \
  template <>                                                                                                \
  FOKKER_VECTOR_CLONES void combine_rows<T>(const T* x, int64_t p, int64_t n, const T* a, const T* b,        \
                                            const T* c, T* out) {                                            \
    combine(x, p, n, a, b, c, out);                                                                          \
  }                                                                                                          \
  template void group_moments(const T*, int64_t, int64_t, int64_t, int64_t, double, double*, double*);       \
  template void affine_coefficients(const double*, const double*, const T*, const T*, int64_t, int64_t, T*,  \
                                    T*);                                                                     \
  template void input_coefficients(const double*, const double*, const T*, T*, const T*, int64_t, int64_t,   \
                                   int64_t, T*, T*, T*)

FOKKER_ROWS(float);
FOKKER_ROWS(double);

}  // namespace fokker
