#include "fokker/train/flat_parameters.h"

#include "fokker/core/error.h"

namespace fokker {

FlatParameters::FlatParameters(Network& network) {
  const GradientMode no_gradients(false);
  check(!network.parameters().empty(), "FlatParameters: expected a network with parameters but it has none");
  values_ =
      at::empty({network.parameter_count()}, network.parameters()[0].tensor.options().requires_grad(false));
  gradients_ = at::zeros_like(values_);
  int64_t offset = 0;
  for (const auto& [name, parameter] : network.parameters()) {
    const int64_t size = parameter.numel();
    const Tensor view = values_.narrow(0, offset, size).view(parameter.sizes());
    view.copy_(parameter.detach());
    parameter.set_data(view);
    parameter.mutable_grad() = gradients_.narrow(0, offset, size).view(parameter.sizes());
    offset += size;
  }
}

std::vector<NamedTensor> named_views(const Network& network, const Tensor& flat) {
  std::vector<NamedTensor> views;
  int64_t offset = 0;
  for (const auto& [name, parameter] : network.parameters()) {
    views.push_back({name, flat.narrow(0, offset, parameter.numel()).view(parameter.sizes())});
    offset += parameter.numel();
  }
  check(offset == flat.numel(), "named_views: expected a buffer of {} numbers but received {}", offset,
        flat.numel());
  return views;
}

}  // namespace fokker
