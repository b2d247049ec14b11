#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// A network's function alone: what a denoiser needs to ask it, without parameters to change or to save.
class Forward {
 public:
  virtual ~Forward() = default;

  /// x: (n, event...); time: (n), or (1) for the whole batch, same dtype as x; label: what is known of each
  /// row, or undefined. Of a network with classes (n) or (1) int64, -1 for the unconditional one; of one with
  /// a condition (n, k) or (1, k) of the type of x, in the network's own units, a row of NaN for none.
  /// Undefined is unconditional. Returns a tensor of the shape of x, or (n) where the network is an energy.
  virtual Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const = 0;
};

}  // namespace fokker
