#include "fokker/nn/group_norm.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace fokker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct GroupNormNode : torch::autograd::Function<GroupNormNode> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        int64_t groups, double eps, bool silu) {
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    const kernel::GroupNormForward result = kernel::fused_group_norm(x, weight, bias, shape_of(*context));
    context->save_for_backward({x, weight, bias, result.mean, result.rstd});
    return result.y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const kernel::GroupNormShape shape = shape_of(*context);
    variable_list result;
    if (at::GradMode::is_enabled()) {
      result = differentiable_backward(gradients[0], saved, shape);
    } else {
      const auto [x, weight, bias] = kernel::fused_group_norm_gradients(
          gradients[0], saved[0], saved[1], saved[2], {.y = {}, .mean = saved[3], .rstd = saved[4]}, shape);
      result = {x, weight, bias};
    }
    result.insert(result.end(), 3, Variable());
    return result;
  }

  static kernel::GroupNormShape shape_of(AutogradContext& context) {
    return {.groups = context.saved_data["groups"].toInt(),
            .eps = context.saved_data["eps"].toDouble(),
            .activation = context.saved_data["silu"].toBool() ? kernel::NormActivation::silu
                                                              : kernel::NormActivation::none};
  }

  // Second derivatives: the plain functions know how to differentiate their gradients. Where one of the three
  // needs no gradient, an alias that does takes its place and the result is dropped by the caller.
  static variable_list differentiable_backward(const Tensor& gradient, const variable_list& saved,
                                               const kernel::GroupNormShape& shape) {
    variable_list inputs;
    for (int i = 0; i < 3; ++i)
      inputs.push_back(saved[i].requires_grad() ? saved[i] : saved[i].detach().requires_grad_(true));
    const Tensor y = kernel::plain_group_norm(inputs[0], inputs[1], inputs[2], shape);
    return torch::autograd::grad({y}, inputs, {gradient}, /*retain_graph=*/true, /*create_graph=*/true);
  }
};

}  // namespace

Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const kernel::GroupNormShape& shape) {
  if (!kernel::suits_fused_group_norm(x, weight)) return kernel::plain_group_norm(x, weight, bias, shape);
  return GroupNormNode::apply(x, weight, bias, shape.groups, shape.eps,
                              shape.activation == kernel::NormActivation::silu);
}

}  // namespace fokker
