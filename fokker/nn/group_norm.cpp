#include "fokker/nn/group_norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fokker/nn/group_norm_rows.h"

namespace fokker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

struct Moments {
  Tensor mean, rstd;  // (n, groups), float64
};

template <typename T>
Tensor forward_rows(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                    NormActivation activation, Moments& moments) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  Tensor y = at::empty_like(x, x.options(), channels_last);
  moments = {at::empty({n, groups}, at::kDouble), at::empty({n, groups}, at::kDouble)};
  const T* in = x.data_ptr<T>();
  T* out = y.data_ptr<T>();
  const T *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  double *mean = moments.mean.data_ptr<double>(), *rstd = moments.rstd.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> a(channels), b(channels);
    for (int64_t i = begin; i < end; ++i) {
      const T* rows = in + i * pixels * channels;
      group_moments(rows, pixels, channels, groups, eps, mean + i * groups, rstd + i * groups);
      affine_coefficients(mean + i * groups, rstd + i * groups, scale, shift, channels, groups, a.data(),
                          b.data());
      apply_rows(rows, pixels, channels, a.data(), b.data(), activation == NormActivation::silu,
                 out + i * pixels * channels);
    }
  });
  return y;
}

template <typename T>
variable_list backward_rows(const Tensor& gradient, const Tensor& x, int64_t groups, const Tensor& weight,
                            const Tensor& bias, const Moments& moments, NormActivation activation) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  Tensor dx = at::empty_like(x, x.options(), channels_last);
  Tensor dscale = at::empty({n, channels}, x.options()), dshift = at::empty({n, channels}, x.options());
  const T *in = x.data_ptr<T>(), *dy = gradient.data_ptr<T>();
  const T *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T *out = dx.data_ptr<T>(), *to_scale = dscale.data_ptr<T>(), *to_shift = dshift.data_ptr<T>();
  const double *mean = moments.mean.data_ptr<double>(), *rstd = moments.rstd.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> a(channels), b(channels), c(channels);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i * pixels * channels, row = i * channels;
      const double *m = mean + i * groups, *r = rstd + i * groups;
      affine_coefficients(m, r, scale, shift, channels, groups, a.data(), b.data());
      activation_gradient_rows(in + offset, dy + offset, pixels, channels, a.data(), b.data(),
                               activation == NormActivation::silu, out + offset, to_scale + row,
                               to_shift + row);
      input_coefficients(m, r, scale, to_scale + row, to_shift + row, pixels, channels, groups, a.data(),
                         b.data(), c.data());
      combine_rows(in + offset, pixels, channels, a.data(), b.data(), c.data(), out + offset);
    }
  });
  return {dx, dscale.sum(0), dshift.sum(0)};
}

struct GroupNormNode : torch::autograd::Function<GroupNormNode> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        int64_t groups, double eps, bool silu) {
    const auto activation = silu ? NormActivation::silu : NormActivation::none;
    Moments moments;
    Tensor y = x.scalar_type() == at::kFloat
                   ? forward_rows<float>(x, groups, weight, bias, eps, activation, moments)
                   : forward_rows<double>(x, groups, weight, bias, eps, activation, moments);
    context->save_for_backward({x, weight, bias, moments.mean, moments.rstd});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["silu"] = silu;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2];
    const int64_t groups = context->saved_data["groups"].toInt();
    const auto activation =
        context->saved_data["silu"].toBool() ? NormActivation::silu : NormActivation::none;
    variable_list result;
    if (at::GradMode::is_enabled()) {
      result = differentiable_backward(gradients[0], saved, groups, context->saved_data["eps"].toDouble(),
                                       activation);
    } else {
      const Tensor dy = gradients[0].contiguous(channels_last);
      const Moments moments = {saved[3], saved[4]};
      result = x.scalar_type() == at::kFloat
                   ? backward_rows<float>(dy, x, groups, weight, bias, moments, activation)
                   : backward_rows<double>(dy, x, groups, weight, bias, moments, activation);
    }
    result.insert(result.end(), 3, Variable());
    return result;
  }

  // Second derivatives: the plain functions know how to differentiate their gradients. Where one of the three
  // needs no gradient, an alias that does takes its place and the result is dropped by the caller.
  static variable_list differentiable_backward(const Tensor& gradient, const variable_list& saved,
                                               int64_t groups, double eps, NormActivation activation) {
    variable_list inputs;
    for (int i = 0; i < 3; ++i)
      inputs.push_back(saved[i].requires_grad() ? saved[i] : saved[i].detach().requires_grad_(true));
    const Tensor y = plain_group_norm(inputs[0], groups, inputs[1], inputs[2], eps, activation);
    return torch::autograd::grad({y}, inputs, {gradient}, /*retain_graph=*/true, /*create_graph=*/true);
  }
};

bool suits_the_kernel(const Tensor& x, const Tensor& weight) {
  return x.is_cpu() && x.dim() == 4 && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         weight.scalar_type() == x.scalar_type() && x.is_contiguous(channels_last);
}

}  // namespace

Tensor plain_group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                        NormActivation activation) {
  const Tensor y = at::group_norm(x, groups, weight, bias, eps);
  return activation == NormActivation::silu ? at::silu(y) : y;
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                  NormActivation activation) {
  if (!suits_the_kernel(x, weight)) return plain_group_norm(x, groups, weight, bias, eps, activation);
  return GroupNormNode::apply(x, weight, bias, groups, eps, activation == NormActivation::silu);
}

}  // namespace fokker
