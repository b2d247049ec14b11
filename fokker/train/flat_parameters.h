#pragma once
#include "fokker/nn/network.h"

namespace fokker {

/// Puts all parameters of a network into one contiguous buffer, and their gradients into another, so that an
/// optimiser step, a norm or a reduction between processes is one pass over memory. The network's tensors
/// become views.
class FlatParameters {
 public:
  explicit FlatParameters(Network& network);
  const Tensor& values() const { return values_; }
  /// Filled by backward passes, which add to it.
  const Tensor& gradients() const { return gradients_; }
  void zero_gradients() { gradients_.zero_(); }

 private:
  Tensor values_, gradients_;
};

/// Cuts a flat buffer into named tensors shaped as the network's parameters (views).
std::vector<NamedTensor> named_views(const Network& network, const Tensor& flat);

}  // namespace fokker
