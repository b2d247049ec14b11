#include "fokker/kernel/group_norm.h"

#include <ATen/Parallel.h>

#include "fokker/kernel/group_norm_rows.h"

namespace fokker {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

template <typename T>
GroupNormForward forward_rows(const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const GroupNormShape& shape) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3), groups = shape.groups;
  const bool silu = shape.activation == NormActivation::silu;
  GroupNormForward result{at::empty_like(x, x.options(), channels_last), at::empty({n, groups}, at::kDouble),
                          at::empty({n, groups}, at::kDouble)};
  const T *in = x.data_ptr<T>(), *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T* out = result.y.data_ptr<T>();
  double *mean = result.mean.data_ptr<double>(), *rstd = result.rstd.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> a(channels), b(channels);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i * pixels * channels;
      double *m = mean + i * groups, *r = rstd + i * groups;
      group_moments(in + offset, channels, pixels, channels, groups, shape.eps, m, r);
      affine_coefficients(m, r, scale, shift, channels, groups, a.data(), b.data());
      apply_rows(in + offset, pixels, channels, a.data(), b.data(), silu, out + offset);
    }
  });
  return result;
}

template <typename T>
GroupNormGradients gradient_rows(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                 const GroupNormForward& forward, const GroupNormShape& shape) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3), groups = shape.groups;
  const bool silu = shape.activation == NormActivation::silu;
  Tensor dx = at::empty_like(x, x.options(), channels_last);
  Tensor dscale = at::empty({n, channels}, x.options()), dshift = at::empty({n, channels}, x.options());
  const T *in = x.data_ptr<T>(), *gradient = dy.data_ptr<T>();
  const T *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T *out = dx.data_ptr<T>(), *to_scale = dscale.data_ptr<T>(), *to_shift = dshift.data_ptr<T>();
  const double *mean = forward.mean.data_ptr<double>(), *rstd = forward.rstd.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> a(channels), b(channels), c(channels);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i * pixels * channels, row = i * channels;
      const double *m = mean + i * groups, *r = rstd + i * groups;
      affine_coefficients(m, r, scale, shift, channels, groups, a.data(), b.data());
      activation_gradient_rows(in + offset, gradient + offset, pixels, channels, a.data(), b.data(), silu,
                               out + offset, to_scale + row, to_shift + row);
      input_coefficients(m, r, scale, to_scale + row, to_shift + row, pixels, channels, groups, a.data(),
                         b.data(), c.data());
      combine_rows(in + offset, pixels, channels, a.data(), b.data(), c.data(), out + offset);
    }
  });
  return {dx, dscale.sum(0), dshift.sum(0)};
}

template <typename T>
GroupNormAffine affine_rows(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const GroupNormShape& shape) {
  const int64_t n = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3), groups = shape.groups;
  GroupNormAffine result{at::empty({n, groups}, at::kDouble), at::empty({n, groups}, at::kDouble),
                         at::empty({n, channels}, x.options()), at::empty({n, channels}, x.options())};
  const T *in = x.data_ptr<T>(), *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T *a = result.scale.data_ptr<T>(), *b = result.shift.data_ptr<T>();
  double *mean = result.mean.data_ptr<double>(), *rstd = result.rstd.data_ptr<double>();
  at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double *m = mean + i * groups, *r = rstd + i * groups;
      group_moments(in + i * pixels * channels, channels, pixels, channels, groups, shape.eps, m, r);
      affine_coefficients(m, r, scale, shift, channels, groups, a + i * channels, b + i * channels);
    }
  });
  return result;
}

}  // namespace

bool suits_fused_group_norm(const Tensor& x, const Tensor& weight) {
  return x.is_cpu() && x.dim() == 4 && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
         weight.scalar_type() == x.scalar_type() && x.is_contiguous(channels_last);
}

GroupNormForward fused_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                  const GroupNormShape& shape) {
  return x.scalar_type() == at::kFloat ? forward_rows<float>(x, weight, bias, shape)
                                       : forward_rows<double>(x, weight, bias, shape);
}

GroupNormAffine group_norm_affine(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                  const GroupNormShape& shape) {
  return x.scalar_type() == at::kFloat ? affine_rows<float>(x, weight, bias, shape)
                                       : affine_rows<double>(x, weight, bias, shape);
}

GroupNormGradients fused_group_norm_gradients(const Tensor& dy, const Tensor& x, const Tensor& weight,
                                              const Tensor& bias, const GroupNormForward& forward,
                                              const GroupNormShape& shape) {
  const Tensor rows = dy.contiguous(channels_last);
  return x.scalar_type() == at::kFloat ? gradient_rows<float>(rows, x, weight, bias, forward, shape)
                                       : gradient_rows<double>(rows, x, weight, bias, forward, shape);
}

Tensor plain_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const GroupNormShape& shape) {
  const Tensor y = at::group_norm(x, shape.groups, weight, bias, shape.eps);
  return shape.activation == NormActivation::silu ? at::silu(y) : y;
}

}  // namespace fokker
