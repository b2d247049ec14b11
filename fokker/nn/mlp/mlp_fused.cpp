#include "fokker/nn/mlp/mlp_fused.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include "fokker/core/check.h"
#include "fokker/kernel/vector/sums.h"
#include "fokker/nn/held_node.h"
#include "fokker/nn/parameter_gradients.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// With fewer rows, laying out the weights costs more than it saves.
constexpr int64_t least_rows = 48;

/// The given values of a graph as tensors, and as the kernel reads them.
struct MlpInputs {
  Tensor x, features, classes, condition;

  MlpInputs(const MlpLayers& layers, const Tensor& given_x, const Tensor& time, const Tensor& label)
      : x(given_x.contiguous()), features(layers.fused_features(time)) {
    if (layers.classes.defined()) classes = layers.classes(label).contiguous();
    if (const int64_t k = layers.options.condition_size; k > 0)
      condition = condition_inputs(label, k, x.options()).contiguous();
  }
  std::vector<kernel::DenseInput> views() const {
    std::vector<kernel::DenseInput> result = {{x.data_ptr<float>(), x.size(1)}, view(features)};
    if (classes.defined()) result.push_back(view(classes));
    if (condition.defined()) result.push_back(view(condition));
    return result;
  }

 private:
  static kernel::DenseInput view(const Tensor& rows) {
    return {rows.data_ptr<float>(), rows.size(0) == 1 ? 0 : rows.size(1)};
  }
};

kernel::MatrixRows rows_of(const Tensor& matrix) {
  return {matrix.data_ptr<float>(), matrix.size(1)};
}

class MlpNode final : public torch::autograd::Node {
 public:
  MlpNode(std::shared_ptr<const MlpLayers> layers, const std::vector<Tensor>& parameters, MlpInputs inputs,
          kernel::DenseGraph graph, std::shared_ptr<kernel::DenseTape> tape, const Tensor& x,
          const Tensor& time, const Tensor& label)
      : layers_(std::move(layers)),
        parameters_(parameters),
        inputs_(std::move(inputs)),
        graph_(std::move(graph)),
        tape_(std::move(tape)),
        x_(x, /*is_output=*/false),
        time_(time, /*is_output=*/false),
        label_(label, /*is_output=*/false) {
    for (const auto& p : parameters) saved_.emplace_back(p, /*is_output=*/false);
  }

  std::string name() const override { return "FokkerMlp"; }
  void release_variables() override {
    tape_.reset();
    for (SavedVariable* input : {&x_, &time_, &label_}) input->reset_data();
    saved_.clear();
  }

  variable_list apply(variable_list&& gradients) override {
    check(tape_ != nullptr,
          "Mlp: expected one backward pass, or a retained graph, but received another pass");
    if (!gradients[0].defined()) return variable_list(parameters_.size());
    x_.unpack();  // refuses inputs that have changed since
    const Tensor time = time_.unpack(), label = label_.unpack();
    return at::GradMode::is_enabled() ? differentiable(gradients[0], time, label)
                                      : fused(gradients[0].contiguous(), label);
  }

 private:
  variable_list fused(const Tensor& gradient, const Tensor& label) {
    ParameterGradients places(parameters_, true);
    kernel::DenseGradients out;
    for (const auto& edge : graph_.edges)
      out.edges.push_back({places.place(edge.weight), places.place(edge.bias)});
    out.inputs.resize(graph_.inputs);
    Tensor of_classes;
    if (inputs_.classes.defined()) {
      of_classes = at::empty({gradient.size(0), inputs_.classes.size(1)}, gradient.options());
      out.inputs.back() = rows_of(of_classes);
    }
    kernel::dense_backward(graph_, inputs_.views(), gradient.size(0), rows_of(gradient), *tape_, out);
    if (of_classes.defined()) places.place(layers_->classes.weight).copy_(sum_by_class(of_classes, label));
    places.settle();
    return places.parts();
  }

  /// Gradients of the rows of the classes' vectors, from those of the batch.
  Tensor sum_by_class(const Tensor& rows, const Tensor& label) const {
    const Tensor index = layers_->classes.rows(label).expand({rows.size(0)}).contiguous();
    const Tensor sums = at::empty(layers_->classes.weight.sizes(), rows.options());
    kernel::add_rows_by_index(rows.data_ptr<float>(), index.data_ptr<int64_t>(), rows.size(0), rows.size(1),
                              sums.size(0), sums.data_ptr<float>());
    return sums;
  }

  // Second derivatives: the plain functions know how to differentiate their gradients.
  variable_list differentiable(const Tensor& gradient, const Tensor& time, const Tensor& label) {
    variable_list variables, result;
    for (auto& saved : saved_) saved.unpack();  // refuses changed parameters
    for (const auto& p : parameters_)
      if (p.requires_grad()) variables.push_back(p);
    const Tensor y = layers_->plain(inputs_.x, time, label);
    const auto parts =
        torch::autograd::grad({y}, variables, {gradient}, /*retain_graph=*/true, /*create_graph=*/true);
    for (size_t i = 0, next = 0; i < parameters_.size(); ++i)
      result.push_back(parameters_[i].requires_grad() ? parts[next++] : Variable());
    return result;
  }

  std::shared_ptr<const MlpLayers> layers_;
  std::vector<Tensor> parameters_;
  std::vector<SavedVariable> saved_;
  MlpInputs inputs_;
  kernel::DenseGraph graph_;
  std::shared_ptr<kernel::DenseTape> tape_;
  SavedVariable x_, time_, label_;
};

}  // namespace

bool suits_fused_mlp(const MlpLayers& layers) {
  const Tensor& weight = layers.options.residual ? layers.input.weight : layers.chain[0].weight;
  return !layers.options.energy && weight.is_cpu() && weight.scalar_type() == at::kFloat;
}

bool suits_fused_mlp(const MlpLayers& layers, const Tensor& x, const Tensor& time, const Tensor& label) {
  const auto recorded = [](const Tensor& t) { return at::GradMode::is_enabled() && t.requires_grad(); };
  const auto plain_input = [&](const Tensor& t) {
    return t.defined() && t.is_cpu() && t.scalar_type() == at::kFloat && !recorded(t);
  };
  return suits_fused_mlp(layers) && plain_input(x) && plain_input(time) && x.dim() == 2 &&
         x.size(0) >= least_rows && !(label.defined() && recorded(label));
}

Tensor fused_mlp(const std::shared_ptr<const MlpLayers>& layers, const std::vector<Tensor>& parameters,
                 const Tensor& x, const Tensor& time, const Tensor& label) {
  check_network_inputs("Mlp", x, time, label, {layers->options.dimension}, layers->classes.defined(),
                       layers->options.condition_size);
  check(suits_fused_mlp(*layers) && x.is_cpu() && x.scalar_type() == at::kFloat,
        "Mlp: expected x and weights of float32 on the CPU but received x of {}", x.toString());
  const bool record =
      at::GradMode::is_enabled() &&
      std::any_of(parameters.begin(), parameters.end(), [](const Tensor& p) { return p.requires_grad(); });
  Tensor y;
  decltype(torch::autograd::Edge::function) node;
  {
    const GradientMode no_gradients(false);
    MlpInputs inputs(*layers, x, time, label);
    kernel::DenseGraph graph = layers->graph();
    const std::shared_ptr<kernel::DenseTape> tape = layers->tapes.take();
    tape->weights.pack(graph, record ? kernel::DenseWeights::Use::both : kernel::DenseWeights::Use::forward,
                       factor_precision());
    y = at::empty({x.size(0), layers->outputs()}, x.options());
    if (!record) {
      kernel::dense_forward(graph, tape->weights, inputs.views(), x.size(0), rows_of(y));
      return y;
    }
    kernel::dense_forward(graph, inputs.views(), x.size(0), rows_of(y), *tape);
    node = held_node(std::make_unique<MlpNode>(layers, parameters, std::move(inputs), std::move(graph), tape,
                                               x, time, label));
  }
  node->set_next_edges(torch::autograd::collect_next_edges(parameters));
  torch::autograd::set_history(y, node);
  return y;
}

FrozenMlp::FrozenMlp(const MlpLayers& layers, kernel::FactorPrecision precision)
    : layers_(layers), graph_(layers.graph()) {
  weights_.pack(graph_, kernel::DenseWeights::Use::forward, precision);
  for (auto& edge : graph_.edges) edge.weight = edge.bias = nullptr;
  layers_.chain.clear();
  layers_.blocks.clear();
  layers_.input = layers_.output = layers_.time_hidden = layers_.time_shifts = {};
  layers_.condition.layer = layers_.condition_input.layer = {};
  if (layers_.classes.defined()) layers_.classes.weight = layers.classes.weight.detach().clone();
}

Tensor FrozenMlp::forward(const Tensor& x, const Tensor& time, const Tensor& label) const {
  check_network_inputs("Mlp", x, time, label, {layers_.options.dimension}, layers_.classes.defined(),
                       layers_.options.condition_size);
  check(x.is_cpu() && x.scalar_type() == at::kFloat, "Mlp: expected x of float32 on the CPU but received {}",
        x.toString());
  const auto recorded = [](const Tensor& t) { return t.defined() && t.requires_grad(); };
  check(!(at::GradMode::is_enabled() && (recorded(x) || recorded(time) || recorded(label))),
        "Mlp: expected inputs without gradients, as its weights are frozen");
  const GradientMode no_gradients(false);
  const MlpInputs inputs(layers_, x, time, label);
  const Tensor y = at::empty({x.size(0), layers_.outputs()}, x.options());
  kernel::dense_forward(graph_, weights_, inputs.views(), x.size(0), rows_of(y));
  return y;
}

}  // namespace fokker
