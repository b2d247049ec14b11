#include "fokker/train/flat_parameters.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <unordered_map>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/nn/gradient_watch.h"

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
    places_.push_back({offset, size});
    offset += size;
  }
} catch (...) {
  detail::throw_as_error();
}

std::vector<int64_t> FlatParameters::uses(const Tensor& scalar) const {
  std::unordered_map<const torch::autograd::Node*, int64_t> edges;
  std::vector<torch::autograd::Node*> open;
  if (scalar.grad_fn()) open.push_back(scalar.grad_fn().get());
  while (!open.empty()) {
    const auto* node = open.back();
    open.pop_back();
    for (const torch::autograd::Edge& edge : node->next_edges())
      if (edge.is_valid() && ++edges[edge.function.get()] == 1) open.push_back(edge.function.get());
  }
  std::vector<int64_t> counts;
  for (const Tensor& parameter : parameters_) {
    const auto found = edges.find(torch::autograd::impl::grad_accumulator(parameter).get());
    counts.push_back(found == edges.end() ? 0 : found->second);
  }
  return counts;
}

Tensor FlatParameters::joined(std::vector<Tensor>& parts) {
  const GradientMode no_gradients(false);
  if (consecutive(parts)) return parts[0].as_strided({values_.numel()}, {1});
  if (!gathered_.defined()) gathered_ = at::empty_like(values_);
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = (parts[i].defined() ? parts[i] : at::zeros_like(parameters_[i])).reshape({-1});
  return at::cat_out(gathered_, parts);
}

Tensor FlatParameters::gradient(const Tensor& scalar) {
  std::vector<Tensor> parts =
      torch::autograd::grad({scalar}, parameters_, {}, c10::nullopt, /*create_graph=*/false,
                            /*allow_unused=*/true);
  return joined(parts);
}

Tensor FlatParameters::gradient(const Tensor& scalar, const Listener& listener) {
  // What enters several functions has a gradient that several of them add to.
  const std::vector<int64_t> used = uses(scalar);
  std::vector<bool> told(parameters_.size(), false);
  const auto tell = [&](size_t i, const Tensor& gradient) {
    told[i] = true;
    listener(i, gradient.reshape({-1}));
  };
  Tensor whole;
  {
    const GradientWatch watch([&](const Tensor& parameter, const Tensor& gradient) {
      for (size_t i = 0; i < parameters_.size(); ++i)
        if (parameter.is_same(parameters_[i]) && used[i] == 1 && !told[i]) tell(i, gradient);
    });
    whole = gradient(scalar);
  }
  for (size_t i = 0; i < told.size(); ++i)
    if (!told[i]) tell(i, whole.narrow(0, places_[i].first, places_[i].count));
  return whole;
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
