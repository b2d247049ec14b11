#include "fokker/nn/unet/unet_fused.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include "fokker/core/check.h"
#include "fokker/nn/product_precision.h"
#include "fokker/nn/unet/unet_tape.h"

namespace fokker {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// A tape and the memory that it is written in, which the next pass takes over.
struct UNetPass {
  std::shared_ptr<Arena> arena;
  Arena::Mark empty = {};
  std::optional<UNetTape> tape;

  UNetPass(const UNetLayers& layers, UNetTape::Wanted wanted) : arena(layers.arenas.take()) {
    empty = arena->mark();
    tape.emplace(layers, *arena, wanted, factor_precision());
  }
  UNetPass(const UNetPass&) = delete;
  UNetPass& operator=(const UNetPass&) = delete;
  ~UNetPass() { arena->rewind(empty); }
};

/// Edges: x, the starts, and the parameters.
class UNetNode final : public torch::autograd::Node {
 public:
  UNetNode(std::shared_ptr<const UNetLayers> layers, const std::vector<Tensor>& parameters,
           std::unique_ptr<UNetPass> pass, const Tensor& x, const Tensor& time, const Tensor& label)
      : layers_(std::move(layers)),
        parameters_(parameters),
        pass_(std::move(pass)),
        x_(x, /*is_output=*/false),
        time_(time, /*is_output=*/false),
        label_(label, /*is_output=*/false) {
    for (const auto& p : parameters) saved_.emplace_back(p, /*is_output=*/false);
  }

  std::string name() const override { return "FokkerUNet"; }
  void release_variables() override {
    pass_.reset();
    for (SavedVariable* input : {&x_, &time_, &label_}) input->reset_data();
    saved_.clear();
  }

  variable_list apply(variable_list&& gradients) override {
    check(pass_ != nullptr,
          "UNet: expected one backward pass, or a retained graph, but received another pass");
    if (!gradients[0].defined()) return variable_list(2 + parameters_.size());
    for (auto& saved : saved_) saved.unpack();  // refuses parameters that have changed since
    const Tensor x = x_.unpack();
    return at::GradMode::is_enabled() ? differentiable(gradients[0], x) : fused(gradients[0].contiguous());
  }

 private:
  variable_list fused(const Tensor& dy) {
    bool wanted = false;
    for (size_t i = 0; i < parameters_.size(); ++i) wanted = wanted || task_should_compute_output(2 + i);
    ParameterGradients parameters(parameters_, wanted);
    const UNetTape::Gradients found = pass_->tape->backward(dy, parameters);
    variable_list result = {found.x, found.starts};
    for (const Tensor& part : parameters.parts()) result.push_back(part);
    return result;
  }

  // Second derivatives: the plain functions know how to differentiate their gradients, and the starts are
  // part of them.
  variable_list differentiable(const Tensor& dy, const Tensor& x) {
    variable_list variables, result;
    if (x.requires_grad()) variables.push_back(x);
    for (const auto& p : parameters_)
      if (p.requires_grad()) variables.push_back(p);
    const Tensor y = (*layers_)(x, time_.unpack(), label_.unpack());
    const auto parts =
        torch::autograd::grad({y}, variables, {dy}, /*retain_graph=*/true, /*create_graph=*/true);
    size_t next = 0;
    result.push_back(x.requires_grad() ? parts[next++] : Variable());
    result.emplace_back();
    for (const auto& p : parameters_) result.push_back(p.requires_grad() ? parts[next++] : Variable());
    return result;
  }

  std::shared_ptr<const UNetLayers> layers_;
  std::vector<Tensor> parameters_;
  std::unique_ptr<UNetPass> pass_;
  SavedVariable x_, time_, label_;
  std::vector<SavedVariable> saved_;
};

/// Images that pass together where nothing is recorded.
constexpr int64_t unrecorded_images = 32;

void evaluate(const UNetLayers& layers, const Tensor& x, const Tensor& starts, const Tensor& y) {
  for (int64_t first = 0; first < x.size(0); first += unrecorded_images) {
    const int64_t count = std::min(unrecorded_images, x.size(0) - first);
    const auto part = [&](const Tensor& t) { return t.size(0) == 1 ? t : t.narrow(0, first, count); };
    UNetPass(layers, {}).tape->forward(part(x), part(starts), part(y));
  }
}

}  // namespace

bool suits_fused_unet(const UNetLayers& layers, const std::vector<Tensor>& parameters, const Tensor& x,
                      const Tensor& time) {
  const auto suits = [](const Tensor& t) {
    return t.defined() && t.is_cpu() && t.scalar_type() == at::kFloat;
  };
  const bool multiplies = !Bf16Products::active() || kernel::bf16_unit() != kernel::Bf16Unit::none;
  return multiplies && suits(x) && suits(time) && x.dim() == 4 && x.size(0) > 0 &&
         !(at::GradMode::is_enabled() && time.requires_grad()) && suits(layers.conv_in.weight) &&
         std::all_of(parameters.begin(), parameters.end(), [](const Tensor& p) { return p.is_contiguous(); });
}

Tensor fused_unet(const std::shared_ptr<const UNetLayers>& layers, const std::vector<Tensor>& parameters,
                  const Tensor& x, const Tensor& time, const Tensor& label) {
  const UNetOptions& options = layers->options;
  const Tensor starts = layers->starts(layers->time(time, label)).contiguous();
  variable_list edges = {x, starts};
  edges.insert(edges.end(), parameters.begin(), parameters.end());
  const bool record =
      at::GradMode::is_enabled() &&
      std::any_of(edges.begin(), edges.end(), [](const Tensor& t) { return t.requires_grad(); });
  Tensor y;
  std::shared_ptr<UNetNode> node;
  {
    const GradientMode no_gradients(false);
    const Tensor images = x.contiguous();
    y = at::empty({x.size(0), options.out_channels, options.sample_height, options.sample_width},
                  x.options());
    if (!record) {
      evaluate(*layers, images, starts, y);
      return y;
    }
    auto pass =
        std::make_unique<UNetPass>(*layers, UNetTape::Wanted{.gradients = true, .input = x.requires_grad()});
    pass->tape->forward(images, starts, y);
    node = std::shared_ptr<UNetNode>(new UNetNode(layers, parameters, std::move(pass), x, time, label),
                                     torch::autograd::deleteNode);
  }
  node->set_next_edges(torch::autograd::collect_next_edges(edges));
  torch::autograd::set_history(y, node);
  return y;
}

}  // namespace fokker
