#pragma once
#include <functional>

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

  /// The places [first, first + count) that a parameter has among the values.
  struct Place {
    int64_t first = 0, count = 0;
  };
  const std::vector<Place>& places() const { return places_; }
  /// Told of the gradient of the parameter at places()[index], flat, as soon as nothing is added to it any
  /// more: of each once, before `gradient` returns.
  using Listener = std::function<void(size_t index, const Tensor& gradient)>;
  Tensor gradient(const Tensor& scalar, const Listener& listener);

 private:
  /// Of each parameter, how many functions of the scalar's graph it enters.
  std::vector<int64_t> uses(const Tensor& scalar) const;
  Tensor joined(std::vector<Tensor>& parts);

  Tensor values_, gathered_;
  std::vector<Tensor> parameters_;
  std::vector<Place> places_;
};

/// Cuts a flat buffer into named tensors shaped as the network's parameters (views).
std::vector<NamedTensor> named_views(const Network& network, const Tensor& flat);

}  // namespace fokker
