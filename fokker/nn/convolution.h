#pragma once
#include "fokker/kernel/image/group_norm.h"

namespace fokker {

/// A 3 x 3 convolution of stride 1 with zeros around the image, and what surrounds it in a U-Net:
/// y = weight * f(x) + bias + shift + residual.
struct ConvolutionTerms {
  Tensor x = {};                  ///< (n, inputs, h, w)
  Tensor weight = {}, bias = {};  ///< (outputs, inputs, 3, 3) and (outputs)
  /// Weight and bias (inputs) of a group normalisation followed by SiLU: f. Undefined: f is the identity.
  Tensor norm_weight = {}, norm_bias = {};
  int64_t norm_groups = 1;
  double norm_eps = 1e-5;
  bool upsampled = false;  ///< f also doubles both sides, each pixel standing for 2 x 2
  Tensor shift = {};       ///< (n, outputs) or (1, outputs), added to every pixel; or undefined
  Tensor residual = {};    ///< of the shape of y; or undefined
};

/// y as one node of the graph: Winograd's form (kernel/image/convolution.h, float32 on a CPU), whose error is
/// about 1e-6 of the size of y. Any other type or device, and any second derivative, runs as
/// plain_convolution3. Argument error where the terms' shapes do not fit together. NaN and infinities of x
/// make the results that they reach NaN or infinite, and NaN may also reach others within 6 pixels.
Tensor convolution3(const ConvolutionTerms& terms);

/// The same by libtorch's own functions, which record gradients.
Tensor plain_convolution3(const ConvolutionTerms& terms);

}  // namespace fokker
