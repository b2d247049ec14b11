#include "fokker/core/tensor.h"

#include <torch/csrc/autograd/autograd.h>

#include "fokker/core/boundary.h"
#include "fokker/core/error.h"

namespace fokker {

std::string shape_string(IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += fmt::format("{}{}", i ? ", " : "", shape[i]);
  return text + ")";
}

int64_t event_size(IntArrayRef shape) {
  int64_t size = 1;
  for (size_t i = 1; i < shape.size(); ++i) size *= shape[i];
  return size;
}

Tensor per_sample(const Tensor& values, const Tensor& like) {
  std::vector<int64_t> shape(static_cast<size_t>(like.dim()), 1);
  shape[0] = values.size(0);
  return values.reshape(shape);
}

Tensor sum_events(const Tensor& tensor) {
  return tensor.dim() == 1 ? tensor : tensor.flatten(1).sum(1);
}

GradientMode::GradientMode(bool enabled) : previous_(at::GradMode::is_enabled()) {
  at::GradMode::set_enabled(enabled);
}
GradientMode::~GradientMode() {
  at::GradMode::set_enabled(previous_);
}

std::vector<Tensor> gradients(const Tensor& output, const std::vector<Tensor>& inputs,
                              bool create_graph) try {
  return torch::autograd::grad({output.sum()}, inputs, {}, /*retain_graph=*/create_graph, create_graph);
} catch (...) {
  detail::throw_as_error();
}

Tensor vector_jacobian_product(const Tensor& output, const Tensor& input, const Tensor& v, bool again) try {
  return torch::autograd::grad({output}, {input}, {v}, /*retain_graph=*/again, /*create_graph=*/false)[0];
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
