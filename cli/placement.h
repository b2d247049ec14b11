#pragma once
#include "cli/option/command.h"
#include "fokker/nn/network.h"

namespace fokker::cli {

/// Moves a network to the device and the arithmetic that the common options name; returns them.
at::TensorOptions place(Network& network, const CommonOptions& common);

}  // namespace fokker::cli
