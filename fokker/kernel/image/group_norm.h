#pragma once
#include "fokker/core/tensor.h"

namespace fokker::kernel {

/// What follows the normalisation.
enum class NormActivation { none, silu };

/// Group normalisation (Wu and He 2018) of (n, channels, h, w), then the activation.
struct GroupNormShape {
  int64_t groups = 1;
  double eps = 1e-5;
  NormActivation activation = NormActivation::none;
};

struct GroupNormForward {
  Tensor y;           ///< as x
  Tensor mean, rstd;  ///< (n, groups) float64: mean and 1/sqrt(variance + eps), which the gradient needs
};

/// The normalisation of (n, channels, h, w) as an affine map of each image's channels:
/// scale (x - centre) + shift.
struct GroupNormAffine {
  Tensor mean, rstd;            ///< as above
  Tensor scale, centre, shift;  ///< (n, channels), of the type of x
};

struct GroupNormGradients {
  Tensor x, weight, bias;
};

/// Whether the fused loops take these: a CPU, channels-last, float32 or float64, weights of the type of x.
/// What they do not take, or sizes that do not fit together, is an argument error in the functions below.
bool suits_fused_group_norm(const Tensor& x, const Tensor& weight);

/// Reads x twice and writes y once. Neither this nor the next records gradients.
GroupNormForward fused_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                  const GroupNormShape& shape);

/// Reads x once. The activation is not part of it.
GroupNormAffine group_norm_affine(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                  const GroupNormShape& shape);

/// Gradients of sum(dy y), with the moments of the forward pass. Sums over pixels and images run in a fixed
/// order, in float64 beyond a few pixels.
GroupNormGradients fused_group_norm_gradients(const Tensor& dy, const Tensor& x, const Tensor& weight,
                                              const Tensor& bias, const GroupNormForward& forward,
                                              const GroupNormShape& shape);

/// The same by libtorch's own functions, which record gradients: the definition that the loops are tested
/// against.
Tensor plain_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const GroupNormShape& shape);

}  // namespace fokker::kernel
