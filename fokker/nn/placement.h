#pragma once
#include "fokker/core/device.h"
#include "fokker/nn/network.h"

namespace fokker {

/// Moves a network to a device and the arithmetic asked for. Returns the type and device of its inputs.
at::TensorOptions place(Network& network, at::Device device, Precision precision);

/// The type and device of a network's parameters, which its inputs have too.
at::TensorOptions input_type(const Network& network);

}  // namespace fokker
