#pragma once
#include <cstdint>

namespace fokker::kernel {

// Group normalisation of one sample, stored as `pixels` rows of `channels` values. Instantiated for float and
// double. All loops run along the channels, so that they vectorise whatever the size of a group. Sums run in
// the type of the values over few pixels and in float64 beyond.

/// Mean and 1/sqrt(variance + eps) of each group; the rows begin `stride` values apart.
template <typename T>
void group_moments(const T* rows, int64_t stride, int64_t pixels, int64_t channels, int64_t groups,
                   double eps, double* mean, double* rstd);

/// Of each group, from its channels' means and sums of squared deviations.
void moments_of_groups(const double* means, const double* squares, int64_t pixels, int64_t channels,
                       int64_t groups, double eps, double* mean, double* rstd);

/// An affine map of each channel, y = scale (x - centre) + shift: nothing cancels where x is far from zero.
template <typename T>
struct ChannelMaps {
  T *scale, *centre, *shift;
};

/// The normalisation, with its weight and bias, as such maps.
template <typename T>
void affine_maps(const double* mean, const double* rstd, const T* weight, const T* bias, int64_t channels,
                 int64_t groups, const ChannelMaps<T>& maps);

/// out = f(y), with f the identity or SiLU; the rows begin `stride` values apart, those of out follow one
/// another.
template <typename T>
void apply_rows(const T* rows, int64_t stride, int64_t pixels, int64_t channels, const ChannelMaps<T>& maps,
                bool silu, T* out);

/// Sums over the pixels for each channel.
struct GradientSums {
  double* shifted;  ///< of out (x - centre)
  double* plain;    ///< of out
};

/// out = gradient f'(y), and its sums; only the rows begin `stride` values apart.
template <typename T>
void activation_gradient_rows(const T* rows, int64_t stride, const T* gradient, int64_t pixels,
                              int64_t channels, const ChannelMaps<T>& maps, bool silu, T* out,
                              const GradientSums& sums);

/// From these sums the gradient of x as scale out + slope (x - centre) + shift in each channel: overwrites
/// the maps' scale and shift. Turns sums.shifted into the gradient of the weight.
template <typename T>
void input_maps(const double* mean, const double* rstd, const T* weight, const GradientSums& sums,
                int64_t pixels, int64_t channels, int64_t groups, const ChannelMaps<T>& maps, T* slope);

/// Where the gradient of x goes, and what else is part of it.
template <typename T>
struct InputGradient {
  T* rows;
  int64_t stride;
  bool add = false;         ///< to what is there
  const T* more = nullptr;  ///< rows that are added, or null
  int64_t more_stride = 0;
};

/// out = scale gradient + slope (x - centre) + shift, and what is added. The gradient's rows follow one
/// another, and may be those of out.
template <typename T>
void combine_rows(const T* rows, int64_t stride, const T* gradient, int64_t pixels, int64_t channels,
                  const ChannelMaps<T>& maps, const T* slope, const InputGradient<T>& out);

}  // namespace fokker::kernel
