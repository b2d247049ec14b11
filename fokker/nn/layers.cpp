#include "fokker/nn/layers.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

/// True where nothing will ask for the value of `x` again.
bool overwritable(const Tensor& x) {
  return !at::GradMode::is_enabled() || !x.requires_grad();
}

}  // namespace

Tensor Linear::operator()(const Tensor& x) const {
  const Tensor y = bias.defined() ? at::linear(factor(x), factor(weight), factor(bias))
                                  : at::linear(factor(x), factor(weight));
  return y.to(x.scalar_type());
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

Tensor Convolution::operator()(const Tensor& x) const {
  const bool winograd = stride == 1 && padding == 1 && weight.size(2) == 3 && weight.size(3) == 3;
  return winograd ? convolution3({.x = x, .weight = weight, .bias = bias})
                  : at::conv2d(factor(x), factor(weight), factor(bias), stride, padding).to(x.scalar_type());
}

Tensor GroupNorm::operator()(const Tensor& x, kernel::NormActivation activation) const {
  return group_norm(x, weight, bias, {.groups = groups, .eps = eps, .activation = activation});
}

Tensor normalised_convolution(const GroupNorm& norm, const Convolution& convolution, const Tensor& x,
                              const Tensor& shift, const Tensor& residual) {
  return convolution3({.x = x,
                       .weight = convolution.weight,
                       .bias = convolution.bias,
                       .norm_weight = norm.weight,
                       .norm_bias = norm.bias,
                       .norm_groups = norm.groups,
                       .norm_eps = norm.eps,
                       .shift = shift,
                       .residual = residual});
}

Tensor ClassEmbedding::operator()(const Tensor& label) const {
  if (!label.defined()) return at::embedding(weight, rows(label).to(weight.device()));
  // On an accelerator this check would wait for the device; an index out of range fails there by itself.
  if (label.is_cpu() && label.numel() > 0) {
    // A row that is passed over is none that a label can name; the last one may be named by its number too.
    const bool passed_over =
        unconditional && unconditional_row >= 0 && unconditional_row + 1 < weight.size(0);
    const int64_t low = label.min().item<int64_t>(), high = label.max().item<int64_t>(),
                  last = weight.size(0) - (passed_over ? 2 : 1), first = unconditional ? -1 : 0;
    check(low >= first && high <= last, "class embedding: expected labels in [{}, {}] but received {} to {}",
          first, last, low, high);
  }
  return at::embedding(weight, rows(label));
}

Tensor ClassEmbedding::rows(const Tensor& label) const {
  const int64_t last = weight.size(0) - 1;
  check(label.defined() || unconditional,
        "class embedding: expected a label, as the network has no unconditional class, but received none");
  const int64_t none = unconditional && unconditional_row >= 0 ? unconditional_row : last;
  if (!label.defined()) return at::full({1}, none, at::kLong);
  const Tensor row = none < last ? label + (label >= none).to(at::kLong) : label;
  return at::where(label < 0, at::full_like(label, none), row);
}

Tensor condition_inputs(const Tensor& condition, int64_t k, const at::TensorOptions& type) {
  if (!condition.defined()) {
    Tensor none = at::zeros({1, k + 1}, type.requires_grad(false));
    none.select(1, k).fill_(1);
    return none;
  }
  const Tensor absent = condition.isnan().any(1, /*keepdim=*/true);
  return at::cat({condition.masked_fill(absent, 0), absent.to(condition.scalar_type())}, 1);
}

Activation::Activation(const std::string& name) : name_(name) {
  using Kind = kernel::ActivationKind;
  static const std::pair<const char*, Kind> kinds[] = {{"silu", Kind::silu}, {"elu", Kind::elu},
                                                       {"relu", Kind::relu}, {"gelu", Kind::gelu},
                                                       {"tanh", Kind::tanh}, {"softplus", Kind::softplus}};
  for (const auto& [text, kind] : kinds)
    if (name == text) {
      kind_ = kind;
      return;
    }
  fail(ErrorKind::argument,
       "activation: expected silu, elu, relu, gelu, tanh or softplus but received \"{}\"", name);
}

Tensor Activation::operator()(Tensor x) const {
  using Kind = kernel::ActivationKind;
  switch (kind_) {
    case Kind::silu:
      return apply_silu(std::move(x));
    // The gradients of these three need only the result.
    case Kind::elu:
      return at::elu_(x);
    case Kind::relu:
      return at::relu_(x);
    case Kind::tanh:
      return at::tanh_(x);
    case Kind::gelu:
      return overwritable(x) ? at::gelu_(x) : at::gelu(x);
    case Kind::softplus:
      return at::softplus(x);
  }
  return x;
}

Tensor apply_silu(Tensor x) {
  return overwritable(x) ? at::silu_(x) : at::silu(x);
}

namespace {

thread_local bool weights_undrawn = false;

}  // namespace

UndrawnWeights::UndrawnWeights() : before_(std::exchange(weights_undrawn, true)) {}

UndrawnWeights::~UndrawnWeights() {
  weights_undrawn = before_;
}

bool UndrawnWeights::active() {
  return weights_undrawn;
}

Tensor LayerBuilder::add(std::string name, Tensor value) {
  parameters_.push_back({std::move(name), std::move(value)});
  return parameters_.back().tensor;
}

Tensor LayerBuilder::uniform(const std::string& name, IntArrayRef shape, int64_t fan_in, bool zero) {
  if (UndrawnWeights::active()) return add(name, at::empty(shape));
  if (zero) return add(name, at::zeros(shape));
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return add(name, rng_.stream(name).uniform(shape).mul_(2 * bound).sub_(bound));
}

Linear LayerBuilder::linear(const std::string& name, int64_t inputs, int64_t outputs, bool zero) {
  return {uniform(name + ".weight", {outputs, inputs}, inputs, zero),
          uniform(name + ".bias", {outputs}, inputs, zero)};
}

Linear LayerBuilder::projection(const std::string& name, int64_t inputs, int64_t outputs) {
  return {uniform(name + ".weight", {outputs, inputs}, inputs, false), {}};
}

Convolution LayerBuilder::convolution(const std::string& name, int64_t inputs, int64_t outputs,
                                      int64_t kernel, bool zero) {
  const int64_t fan_in = inputs * kernel * kernel;
  return {uniform(name + ".weight", {outputs, inputs, kernel, kernel}, fan_in, zero),
          uniform(name + ".bias", {outputs}, fan_in, zero), 1, kernel / 2};
}

GroupNorm LayerBuilder::group_norm(const std::string& name, int64_t channels, int64_t groups, double eps) {
  return {add(name + ".weight", at::ones({channels})), add(name + ".bias", at::zeros({channels})), groups,
          eps};
}

LayerNorm LayerBuilder::layer_norm(const std::string& name, int64_t size) {
  return {add(name + ".weight", at::ones({size})), add(name + ".bias", at::zeros({size}))};
}

Tensor LayerBuilder::normal(const std::string& name, IntArrayRef shape, double scale) {
  return add(name, UndrawnWeights::active() ? at::empty(shape) : rng_.stream(name).normal(shape).mul_(scale));
}

ClassEmbedding LayerBuilder::class_embedding(const std::string& name, int64_t rows, int64_t size) {
  const bool undrawn = UndrawnWeights::active();
  return {add(name + ".weight", undrawn ? at::empty({rows, size}) : rng_.stream(name).normal({rows, size}))};
}

void check_network_inputs(std::string_view name, const Tensor& x, const Tensor& time, const Tensor& label,
                          IntArrayRef event_shape, bool has_classes, int64_t condition_size) {
  const std::string event = shape_string(event_shape);
  check(x.defined() && x.dim() == static_cast<int64_t>(event_shape.size()) + 1 &&
            x.sizes().slice(1) == event_shape,
        "{}: expected x of shape (n, {} but received {}", name, event.substr(1),
        x.defined() ? shape_string(x) : "an undefined tensor");
  check(time.defined() && time.dim() == 1 && (time.size(0) == x.size(0) || time.size(0) == 1),
        "{}: expected time of shape ({}) or (1) but received {}", name, x.size(0),
        time.defined() ? shape_string(time) : "an undefined tensor");
  check(time.scalar_type() == x.scalar_type(), "{}: expected time of the type of x, {}, but received {}",
        name, at::toString(x.scalar_type()), at::toString(time.scalar_type()));
  if (!label.defined()) return;
  if (condition_size > 0) {
    check(label.dim() == 2 && label.size(1) == condition_size && label.scalar_type() == x.scalar_type() &&
              (label.size(0) == x.size(0) || label.size(0) == 1),
          "{}: expected conditions of shape ({}, {}) and the type of x, {}, but received {} of {}", name,
          x.size(0), condition_size, at::toString(x.scalar_type()), shape_string(label),
          at::toString(label.scalar_type()));
    return;
  }
  check(has_classes, "{}: expected no label, as the network has no classes, but received one", name);
  check(label.scalar_type() == at::kLong && label.dim() == 1 &&
            (label.size(0) == x.size(0) || label.size(0) == 1),
        "{}: expected label of shape ({}) and type int64 but received {} of {}", name, x.size(0),
        shape_string(label), at::toString(label.scalar_type()));
}

}  // namespace fokker
