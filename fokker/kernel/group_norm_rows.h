#pragma once
#include <cstdint>

namespace fokker {

// Group normalisation of one sample, stored as `pixels` rows of `channels` values. Instantiated for float and
// double. All loops run along the channels, so that they vectorise whatever the size of a group.

/// Mean and 1/sqrt(variance + eps) of each group; the rows begin `stride` values apart.
template <typename T>
void group_moments(const T* rows, int64_t stride, int64_t pixels, int64_t channels, int64_t groups,
                   double eps, double* mean, double* rstd);

/// The normalisation as an affine map of each channel: y = a x + b.
template <typename T>
void affine_coefficients(const double* mean, const double* rstd, const T* scale, const T* shift,
                         int64_t channels, int64_t groups, T* a, T* b);

/// out = f(a x + b), with f the identity or SiLU.
template <typename T>
void apply_rows(const T* rows, int64_t pixels, int64_t channels, const T* a, const T* b, bool silu, T* out);

/// out = gradient f'(a x + b); in each channel also sum_x = sum of out * x and sum = sum of out.
template <typename T>
void activation_gradient_rows(const T* rows, const T* gradient, int64_t pixels, int64_t channels, const T* a,
                              const T* b, bool silu, T* out, T* sum_x, T* sum);

/// From these sums the gradient of x as a out + b x + c in each channel; turns sum_x into the gradient of the
/// scale.
template <typename T>
void input_coefficients(const double* mean, const double* rstd, const T* scale, T* sum_x, const T* sum,
                        int64_t pixels, int64_t channels, int64_t groups, T* a, T* b, T* c);

/// out = a out + b x + c.
template <typename T>
void combine_rows(const T* rows, int64_t pixels, int64_t channels, const T* a, const T* b, const T* c,
                  T* out);

}  // namespace fokker
