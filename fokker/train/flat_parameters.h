#pragma once
#include "fokker/nn/network.h"

namespace fokker {

/// Puts all parameters of a network into one contiguous buffer, so that an optimiser step, a norm or a
/// reduction between processes is one pass over memory. The network's tensors become views.
class FlatParameters {
 public:
  explicit FlatParameters(Network& network);
  const Tensor& values() const { return values_; }
  /// The gradient of a scalar, in the order of the values; zero where it does not depend on a parameter.
  /// Valid until the next call. Where a network's gradients are parts of one such tensor, it is that one.
  Tensor gradient(const Tensor& scalar);

 private:
  Tensor values_, gathered_;
  std::vector<Tensor> parameters_;
};

/// Cuts a flat buffer into named tensors shaped as the network's parameters (views).
std::vector<NamedTensor> named_views(const Network& network, const Tensor& flat);

}  // namespace fokker
