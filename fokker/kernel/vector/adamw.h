#pragma once
#include "fokker/core/tensor.h"

namespace fokker::kernel {

/// One step of AdamW (Loshchilov and Hutter 2019) with the exponential moving average of the weights.
struct AdamWStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double gradient_scale = 1.0;  ///< multiplies the gradient first (clipping)
  double ema_decay = 0.999;
  int64_t step = 1;  ///< counts from 1; decides the bias correction
};

/// The flat buffers that a step reads and writes: all of one length, float32 or float64, contiguous.
struct AdamWState {
  Tensor parameters, gradients, first_moment, second_moment, average;
};

/// Updates everything in one pass over memory on the CPU; on another device it runs the plain form. Argument
/// error where the buffers do not fit together, or are neither float32 nor float64.
void adamw_step(const AdamWState& state, const AdamWStep& step);

/// The same step in tensor operations: the definition that the fused loop is tested against.
void adamw_step_plain(const AdamWState& state, const AdamWStep& step);

}  // namespace fokker::kernel
