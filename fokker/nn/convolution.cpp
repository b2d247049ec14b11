#include "fokker/nn/convolution.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fokker/core/check.h"
#include "fokker/kernel/image/bf16_convolution.h"
#include "fokker/kernel/image/padded_image.h"
#include "fokker/kernel/vector/sums.h"
#include "fokker/nn/group_norm.h"
#include "fokker/nn/product_precision.h"

namespace fokker {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// The graph takes what may be undefined in this form only.
using Optional = c10::optional<Tensor>;

constexpr auto pixels_last = at::MemoryFormat::ChannelsLast;

using kernel::FactorPrecision;

bool suits_fused(const ConvolutionTerms& t) {
  const auto fits = [](const Tensor& part) {
    return !part.defined() || (part.is_cpu() && part.scalar_type() == at::kFloat);
  };
  const bool multiplies = !Bf16Products::active() || kernel::bf16_unit() != kernel::Bf16Unit::none;
  return multiplies && t.x.dim() == 4 && t.x.numel() > 0 && fits(t.x) && fits(t.weight) && fits(t.bias) &&
         fits(t.norm_weight) && fits(t.norm_bias) && fits(t.shift) && fits(t.residual);
}

void check_term(const char* name, const Tensor& t, IntArrayRef sizes) {
  check(t.defined() && t.sizes() == sizes, "convolution3: expected {} of shape {} but received {}", name,
        shape_string(sizes), t.defined() ? shape_string(t) : "an undefined tensor");
}

void check_terms(const ConvolutionTerms& t) {
  check(t.x.defined() && t.x.dim() == 4 && t.weight.defined() && t.weight.dim() == 4,
        "convolution3: expected x (n, inputs, h, w) and a weight (outputs, inputs, 3, 3) but received {} and "
        "{}",
        t.x.defined() ? shape_string(t.x) : "an undefined tensor",
        t.weight.defined() ? shape_string(t.weight) : "an undefined tensor");
  const int64_t n = t.x.size(0), inputs = t.x.size(1), outputs = t.weight.size(0),
                factor = t.upsampled ? 2 : 1;
  check_term("a weight", t.weight, {outputs, inputs, 3, 3});
  check_term("a bias", t.bias, {outputs});
  check(t.norm_weight.defined() == t.norm_bias.defined(),
        "convolution3: expected both a weight and a bias of the norm, or neither, but received one");
  if (t.norm_weight.defined()) {
    check_term("a norm's weight", t.norm_weight, {inputs});
    check_term("a norm's bias", t.norm_bias, {inputs});
    check(t.norm_groups > 0 && inputs % t.norm_groups == 0,
          "convolution3: expected groups that divide the {} channels but received {}", inputs, t.norm_groups);
  }
  if (t.shift.defined())
    check_term("a shift", t.shift, {t.shift.dim() == 2 && t.shift.size(0) == 1 ? 1 : n, outputs});
  if (t.residual.defined())
    check_term("a residual", t.residual, {n, outputs, factor * t.x.size(2), factor * t.x.size(3)});
}

kernel::GroupNormShape norm_of(const ConvolutionTerms& t) {
  return {.groups = t.norm_groups, .eps = t.norm_eps, .activation = kernel::NormActivation::silu};
}

kernel::ConvolutionShape shape_of(const ConvolutionTerms& t) {
  const int64_t factor = t.upsampled ? 2 : 1;
  return {.images = t.x.size(0),
          .height = factor * t.x.size(2),
          .width = factor * t.x.size(3),
          .inputs = t.x.size(1),
          .outputs = t.weight.size(0)};
}

/// Convolves with a weight, or with the turned one that gives the gradient of its input.
void convolve_in(FactorPrecision precision, const kernel::ConvolutionShape& shape,
                 const kernel::ConvolutionInput& input, const Tensor& weight, bool transposed,
                 const kernel::ConvolutionOutput& output) {
  const Tensor dense = weight.contiguous();
  const float* g = dense.data_ptr<float>();
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  const Tensor memory = at::empty({kernel::filters_size(precision, shape.inputs, shape.outputs)});
  kernel::convolve(
      shape, input,
      kernel::lay_out_filters(precision, g, outputs, inputs, transposed, memory.data_ptr<float>()), output);
}

/// x as the kernels read it; the norm is its affine form, where there is one.
kernel::ConvolutionInput input_of(const ConvolutionTerms& t, const kernel::GroupNormAffine& norm) {
  kernel::ConvolutionInput input = {
      .x = t.x.data_ptr<float>(), .pixel_stride = t.x.size(1), .upsampled = t.upsampled};
  if (t.norm_weight.defined()) {
    input.scale = norm.scale.data_ptr<float>();
    input.centre = norm.centre.data_ptr<float>();
    input.shift = norm.shift.data_ptr<float>();
  }
  return input;
}

/// Sums over the pixels: (n, channels) in float64.
Tensor image_sums(const Tensor& x) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  Tensor sums = at::empty({n, channels}, at::kDouble);
  const float* from = x.data_ptr<float>();
  double* to = sums.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      kernel::channel_sums(from + i * pixels * channels, pixels, channels, channels, to + i * channels);
  });
  return sums;
}

struct ConvolutionNode : torch::autograd::Function<ConvolutionNode> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Optional& norm_weight, const Optional& norm_bias, const Optional& shift,
                        const Optional& residual, int64_t groups, double eps, bool upsampled) {
    const auto part = [](const Optional& t) { return t.value_or(Tensor()); };
    const ConvolutionTerms t = {x,      weight, bias,      part(norm_weight), part(norm_bias),
                                groups, eps,    upsampled, part(shift),       part(residual)};
    kernel::GroupNormAffine norm;
    if (t.norm_weight.defined()) norm = kernel::group_norm_affine(x, t.norm_weight, t.norm_bias, norm_of(t));
    context->save_for_backward(
        {x, weight, t.norm_weight, t.norm_bias, norm.mean, norm.rstd, norm.scale, norm.centre, norm.shift});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["upsampled"] = upsampled;
    context->saved_data["shift rows"] = t.shift.defined() ? t.shift.size(0) : int64_t{0};
    context->saved_data["residual"] = t.residual.defined();
    context->saved_data["rounded"] = Bf16Products::active();
    return convolved(t, norm);
  }

  static Tensor convolved(const ConvolutionTerms& t, const kernel::GroupNormAffine& norm) {
    const kernel::ConvolutionShape shape = shape_of(t);
    const Tensor start = (t.shift.defined() ? t.shift + t.bias : t.bias.unsqueeze(0)).contiguous();
    Tensor y =
        at::empty({shape.images, shape.outputs, shape.height, shape.width}, t.x.options(), pixels_last);
    kernel::ConvolutionOutput output = {.y = y.data_ptr<float>(),
                                        .pixel_stride = shape.outputs,
                                        .start = start.data_ptr<float>(),
                                        .start_stride = start.size(0) == 1 ? 0 : shape.outputs};
    if (t.residual.defined()) {
      output.residual = t.residual.data_ptr<float>();
      output.residual_pixel_stride = shape.outputs;
    }
    convolve_in(factor_precision(), shape, input_of(t, norm), t.weight, false, output);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const ConvolutionTerms terms = {.x = saved[0],
                                    .weight = saved[1],
                                    .bias = {},
                                    .norm_weight = saved[2],
                                    .norm_bias = saved[3],
                                    .norm_groups = context->saved_data["groups"].toInt(),
                                    .norm_eps = context->saved_data["eps"].toDouble(),
                                    .upsampled = context->saved_data["upsampled"].toBool(),
                                    .shift = {},
                                    .residual = {}};
    const int64_t shift_rows = context->saved_data["shift rows"].toInt();
    const Tensor& dy = gradients[0];
    variable_list result;
    if (at::GradMode::is_enabled()) {
      result = differentiable_backward(dy, terms, shift_rows);
    } else {
      const kernel::GroupNormAffine norm = {saved[4], saved[5], saved[6], saved[7], saved[8]};
      result = fused_backward(*context, dy.contiguous(pixels_last), terms, norm, shift_rows);
    }
    result.push_back(context->saved_data["residual"].toBool() ? dy : Tensor());
    result.insert(result.end(), 3, Variable());
    return result;
  }

  // Of x, weight, bias, norm_weight, norm_bias, shift.
  static variable_list fused_backward(const AutogradContext& context, const Tensor& dy,
                                      const ConvolutionTerms& t, const kernel::GroupNormAffine& norm,
                                      int64_t shift_rows) {
    const kernel::ConvolutionShape shape = shape_of(t);
    variable_list result(6);
    const Tensor sums = image_sums(dy);
    result[2] = at::empty({shape.outputs}, dy.options());
    kernel::add_rows(sums.data_ptr<double>(), shape.images, shape.outputs, result[2].data_ptr<float>());
    if (shift_rows) result[5] = shift_rows == 1 ? result[2].unsqueeze(0) : sums.to(at::kFloat);
    result[1] = at::empty(t.weight.sizes(), t.weight.options());
    const auto precision =
        context.saved_data.at("rounded").toBool() ? FactorPrecision::bfloat16 : FactorPrecision::float32;
    const auto filter_gradient = precision == FactorPrecision::bfloat16 ? kernel::rounded_filter_gradient
                                                                        : kernel::convolution_filter_gradient;
    filter_gradient(shape, input_of(t, norm), dy.data_ptr<float>(), shape.outputs,
                    result[1].data_ptr<float>());
    if (!context.needs_input_grad(0) && !t.norm_weight.defined()) return result;
    Tensor dx = input_gradient(precision, shape, dy, t);
    if (t.norm_weight.defined()) {
      const auto [gradient, weight, bias] = kernel::fused_group_norm_gradients(
          dx, t.x, t.norm_weight, t.norm_bias, {.y = {}, .mean = norm.mean, .rstd = norm.rstd}, norm_of(t));
      dx = gradient;
      result[3] = weight;
      result[4] = bias;
    }
    result[0] = dx;
    return result;
  }

  /// Of f(x).
  static Tensor input_gradient(FactorPrecision precision, const kernel::ConvolutionShape& s, const Tensor& dy,
                               const ConvolutionTerms& t) {
    Tensor dx = at::empty({s.images, s.inputs, s.height, s.width}, dy.options(), pixels_last);
    convolve_in(precision, {s.images, s.height, s.width, s.outputs, s.inputs},
                {.x = dy.data_ptr<float>(), .pixel_stride = s.outputs}, t.weight, true,
                {.y = dx.data_ptr<float>(), .pixel_stride = s.inputs});
    return t.upsampled ? at::avg_pool2d(dx, {2, 2}, {}, {0, 0}, false, true, 1) : dx;
  }

  // Second derivatives: the plain functions know how to differentiate their gradients.
  static variable_list differentiable_backward(const Tensor& dy, const ConvolutionTerms& terms,
                                               int64_t shift_rows) {
    ConvolutionTerms t = terms;
    variable_list inputs;
    for (Tensor* part : {&t.x, &t.weight, &t.norm_weight, &t.norm_bias}) {
      if (!part->defined()) continue;
      if (!part->requires_grad()) *part = part->detach().requires_grad_(true);
      inputs.push_back(*part);
    }
    const auto found = torch::autograd::grad({plain_convolution3(t)}, inputs, {dy}, /*retain_graph=*/true,
                                             /*create_graph=*/true);
    const bool normed = terms.norm_weight.defined();
    const Tensor sums = dy.sum({2, 3});
    return {found[0],
            found[1],
            sums.sum(0),
            normed ? found[2] : Tensor(),
            normed ? found[3] : Tensor(),
            shift_rows == 0   ? Tensor()
            : shift_rows == 1 ? sums.sum(0, true)
                              : sums};
  }
};

}  // namespace

Tensor convolution3(const ConvolutionTerms& terms) {
  check_terms(terms);
  if (!suits_fused(terms)) return plain_convolution3(terms);
  const auto rows = [](const Tensor& t) { return t.defined() ? t.contiguous(pixels_last) : t; };
  const auto optional = [](const Tensor& t) { return t.defined() ? Optional(t) : Optional(); };
  return ConvolutionNode::apply(rows(terms.x), terms.weight, terms.bias, optional(terms.norm_weight),
                                optional(terms.norm_bias), optional(terms.shift),
                                optional(rows(terms.residual)), terms.norm_groups, terms.norm_eps,
                                terms.upsampled);
}

Tensor plain_convolution3(const ConvolutionTerms& t) {
  Tensor x = t.norm_weight.defined() ? group_norm(t.x, t.norm_weight, t.norm_bias, norm_of(t)) : t.x;
  if (t.upsampled) x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  Tensor y = at::conv2d(factor(x), factor(t.weight), factor(t.bias), 1, 1).to(x.scalar_type());
  if (t.shift.defined()) y = y + t.shift.unsqueeze(2).unsqueeze(3);
  return t.residual.defined() ? y + t.residual : y;
}

}  // namespace fokker
