#pragma once
// A device that stands in for an accelerator where there is none. It computes on the processor, but behaves
// as a CUDA device does to whoever forgets that it is one: its memory cannot be read by a pointer (the
// process dies), and an operation on its tensors and the processor's at once is refused.
#include "fokker/core/tensor.h"

namespace fokker::testing {

/// The pretend device or, where the environment says FOKKER_TEST_DEVICE=cuda, the first CUDA device.
at::Device accelerator();
/// How far results there may lie from the processor's, relative to the largest: 1e-5, and on a GPU, whose
/// libraries sum in other orders, 1e-3.
double tolerance_there();

}  // namespace fokker::testing
