#pragma once
#include "fokker/nn/unet/unet_layers.h"

namespace fokker {

/// True where the fused form takes these: float32 on a CPU, weights contiguous, and a time that wants no
/// gradient.
bool suits_fused_unet(const UNetLayers& layers, const std::vector<Tensor>& parameters, const Tensor& x,
                      const Tensor& time);

/// What UNetLayers computes, for inputs that suit it, as one node of the graph (unet_tape.h): gradients of x
/// and of the parameters, which are all those of the layers. A second derivative runs the plain form. Where
/// nothing is recorded, a few images at a time pass through. NaN and infinities of x make the results that
/// they reach NaN or infinite, and NaN may also reach others within 6 pixels.
Tensor fused_unet(const std::shared_ptr<const UNetLayers>& layers, const std::vector<Tensor>& parameters,
                  const Tensor& x, const Tensor& time, const Tensor& label);

}  // namespace fokker
