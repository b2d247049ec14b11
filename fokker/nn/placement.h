#pragma once
#include "fokker/core/device.h"
#include "fokker/nn/network.h"

namespace fokker {

/// Moves a network to a device and the arithmetic asked for. Returns the type and device of its inputs.
at::TensorOptions place(Network& network, at::Device device, Precision precision);

/// What `automatic` is for training and sampling with this network, where it is: bf16 where that is faster
/// and nobody has said (set_bf16_products), else automatic.
Precision precision_of_samples(const Network& network, Precision asked);

/// The type and device of a network's parameters, which its inputs have too.
at::TensorOptions input_type(const Network& network);

}  // namespace fokker
