#include "fokker/train/flat_parameters.h"

#include <torch/csrc/autograd/autograd.h>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// True where the tensors follow one another in one piece of memory.
bool consecutive(const std::vector<Tensor>& parts) {
  if (!parts[0].defined()) return false;
  int64_t offset = parts[0].storage_offset();
  for (const auto& part : parts) {
    if (!part.defined() || !part.is_contiguous() || !part.storage().is_alias_of(parts[0].storage()) ||
        part.storage_offset() != offset)
      return false;
    offset += part.numel();
  }
  return true;
}

}  // namespace

FlatParameters::FlatParameters(Network& network) try {
  const GradientMode no_gradients(false);
  check(!network.parameters().empty(), "FlatParameters: expected a network with parameters but it has none");
  values_ =
      at::empty({network.parameter_count()}, network.parameters()[0].tensor.options().requires_grad(false));
  int64_t offset = 0;
  for (const auto& [name, parameter] : network.parameters()) {
    const int64_t size = parameter.numel();
    const Tensor view = values_.narrow(0, offset, size).view(parameter.sizes());
    view.copy_(parameter.detach());
    parameter.set_data(view);
    parameters_.push_back(parameter);
    offset += size;
  }
} catch (...) {
  detail::throw_as_error();
}

Tensor FlatParameters::gradient(const Tensor& scalar) {
  std::vector<Tensor> parts =
      torch::autograd::grad({scalar}, parameters_, {}, c10::nullopt, /*create_graph=*/false,
                            /*allow_unused=*/true);
  const GradientMode no_gradients(false);
  if (consecutive(parts)) return parts[0].as_strided({values_.numel()}, {1});
  if (!gathered_.defined()) gathered_ = at::empty_like(values_);
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = (parts[i].defined() ? parts[i] : at::zeros_like(parameters_[i])).reshape({-1});
  return at::cat_out(gathered_, parts);
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
