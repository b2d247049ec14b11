#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// A network's function alone: what a denoiser needs to ask it, without parameters to change or to save.
class Forward {
 public:
  virtual ~Forward() = default;

  /// x: (n, event...); time: (n), or (1) for the whole batch, same dtype as x; label: (n) or (1) int64, or
  /// undefined. With class embeddings, label -1 (or undefined) is the unconditional class. Returns a tensor
  /// of the shape of x, or (n) where the network is an energy.
  virtual Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const = 0;
};

}  // namespace fokker
