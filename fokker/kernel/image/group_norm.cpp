#include "fokker/kernel/image/group_norm.h"

#include <ATen/Parallel.h>

#include "fokker/core/check.h"
#include "fokker/kernel/image/group_norm_rows.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker::kernel {
namespace {

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

struct Sizes {
  int64_t images, channels, pixels, groups;
  Sizes(const Tensor& x, const GroupNormShape& shape)
      : images(x.size(0)), channels(x.size(1)), pixels(x.size(2) * x.size(3)), groups(shape.groups) {}
};

void check_terms(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormShape& shape) {
  check(suits_fused_group_norm(x, weight),
        "group_norm: expected x of shape (n, channels, h, w) on the CPU, channels last, and weights of its "
        "type");
  const int64_t channels = x.size(1);
  check(shape.groups > 0 && channels % shape.groups == 0,
        "group_norm: expected groups that divide the {} channels but received {}", channels, shape.groups);
  for (const Tensor* t : {&weight, &bias})
    check(t->defined() && t->is_cpu() && t->scalar_type() == x.scalar_type() && t->dim() == 1 &&
              t->size(0) == channels,
          "group_norm: expected a weight and bias of shape ({}) and the type of x but received {}", channels,
          t->defined() ? shape_string(*t) : "an undefined tensor");
}

void check_moments(const Tensor& x, const GroupNormForward& forward, const GroupNormShape& shape) {
  for (const Tensor* t : {&forward.mean, &forward.rstd})
    check(t->defined() && t->scalar_type() == at::kDouble && t->is_contiguous() &&
              t->sizes() == IntArrayRef({x.size(0), shape.groups}),
          "group_norm: expected moments of shape ({}, {}) in float64 but received {}", x.size(0),
          shape.groups, t->defined() ? shape_string(*t) : "an undefined tensor");
}

template <typename T>
ChannelMaps<T> maps_in(std::vector<T>& numbers, int64_t channels) {
  numbers.resize(static_cast<size_t>(3 * channels));
  return {numbers.data(), numbers.data() + channels, numbers.data() + 2 * channels};
}

template <typename T>
GroupNormForward forward_rows(const Tensor& x, const Tensor& weight, const Tensor& bias,
                              const GroupNormShape& shape) {
  const Sizes s(x, shape);
  const bool silu = shape.activation == NormActivation::silu;
  GroupNormForward result{at::empty_like(x, x.options(), channels_last),
                          at::empty({s.images, s.groups}, at::kDouble),
                          at::empty({s.images, s.groups}, at::kDouble)};
  const T *in = x.data_ptr<T>(), *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T* out = result.y.data_ptr<T>();
  double *mean = result.mean.data_ptr<double>(), *rstd = result.rstd.data_ptr<double>();
  at::parallel_for(0, s.images, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> numbers;
    const ChannelMaps<T> maps = maps_in(numbers, s.channels);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i * s.pixels * s.channels;
      double *m = mean + i * s.groups, *r = rstd + i * s.groups;
      group_moments(in + offset, s.channels, s.pixels, s.channels, s.groups, shape.eps, m, r);
      affine_maps(m, r, scale, shift, s.channels, s.groups, maps);
      apply_rows(in + offset, s.channels, s.pixels, s.channels, maps, silu, out + offset);
    }
  });
  return result;
}

template <typename T>
GroupNormGradients gradient_rows(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                 const GroupNormForward& forward, const GroupNormShape& shape) {
  const Sizes s(x, shape);
  const bool silu = shape.activation == NormActivation::silu;
  GroupNormGradients result{at::empty_like(x, x.options(), channels_last),
                            at::empty({s.channels}, x.options()), at::empty({s.channels}, x.options())};
  std::vector<double> to_scale(static_cast<size_t>(s.images * s.channels)), to_shift(to_scale.size());
  const T *in = x.data_ptr<T>(), *gradient = dy.data_ptr<T>();
  const T *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  T* out = result.x.data_ptr<T>();
  const double *mean = forward.mean.data_ptr<double>(), *rstd = forward.rstd.data_ptr<double>();
  at::parallel_for(0, s.images, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> numbers, slope(static_cast<size_t>(s.channels));
    const ChannelMaps<T> maps = maps_in(numbers, s.channels);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t offset = i * s.pixels * s.channels;
      const double *m = mean + i * s.groups, *r = rstd + i * s.groups;
      const GradientSums sums = {to_scale.data() + i * s.channels, to_shift.data() + i * s.channels};
      affine_maps(m, r, scale, shift, s.channels, s.groups, maps);
      activation_gradient_rows(in + offset, s.channels, gradient + offset, s.pixels, s.channels, maps, silu,
                               out + offset, sums);
      input_maps(m, r, scale, sums, s.pixels, s.channels, s.groups, maps, slope.data());
      combine_rows<T>(in + offset, s.channels, out + offset, s.pixels, s.channels, maps, slope.data(),
                      {.rows = out + offset, .stride = s.channels});
    }
  });
  add_rows(to_scale.data(), s.images, s.channels, result.weight.data_ptr<T>());
  add_rows(to_shift.data(), s.images, s.channels, result.bias.data_ptr<T>());
  return result;
}

template <typename T>
GroupNormAffine affine_rows(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const GroupNormShape& shape) {
  const Sizes s(x, shape);
  const auto moments = [&] { return at::empty({s.images, s.groups}, at::kDouble); };
  const auto numbers = [&] { return at::empty({s.images, s.channels}, x.options()); };
  GroupNormAffine result{moments(), moments(), numbers(), numbers(), numbers()};
  const T *in = x.data_ptr<T>(), *scale = weight.data_ptr<T>(), *shift = bias.data_ptr<T>();
  const ChannelMaps<T> maps = {result.scale.data_ptr<T>(), result.centre.data_ptr<T>(),
                               result.shift.data_ptr<T>()};
  double *mean = result.mean.data_ptr<double>(), *rstd = result.rstd.data_ptr<double>();
  at::parallel_for(0, s.images, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i * s.channels;
      double *m = mean + i * s.groups, *r = rstd + i * s.groups;
      group_moments(in + row * s.pixels, s.channels, s.pixels, s.channels, s.groups, shape.eps, m, r);
      affine_maps(m, r, scale, shift, s.channels, s.groups,
                  {maps.scale + row, maps.centre + row, maps.shift + row});
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
  check_terms(x, weight, bias, shape);
  const Tensor scale = weight.contiguous(), shift = bias.contiguous();
  return x.scalar_type() == at::kFloat ? forward_rows<float>(x, scale, shift, shape)
                                       : forward_rows<double>(x, scale, shift, shape);
}

GroupNormAffine group_norm_affine(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                  const GroupNormShape& shape) {
  check_terms(x, weight, bias, shape);
  const Tensor scale = weight.contiguous(), shift = bias.contiguous();
  return x.scalar_type() == at::kFloat ? affine_rows<float>(x, scale, shift, shape)
                                       : affine_rows<double>(x, scale, shift, shape);
}

GroupNormGradients fused_group_norm_gradients(const Tensor& dy, const Tensor& x, const Tensor& weight,
                                              const Tensor& bias, const GroupNormForward& forward,
                                              const GroupNormShape& shape) {
  check_terms(x, weight, bias, shape);
  check_moments(x, forward, shape);
  check(dy.defined() && dy.sizes() == x.sizes() && dy.scalar_type() == x.scalar_type(),
        "group_norm: expected a gradient of the shape {} and type of x but received {}", shape_string(x),
        dy.defined() ? shape_string(dy) : "an undefined tensor");
  const Tensor rows = dy.contiguous(channels_last), scale = weight.contiguous(), shift = bias.contiguous();
  return x.scalar_type() == at::kFloat ? gradient_rows<float>(rows, x, scale, shift, forward, shape)
                                       : gradient_rows<double>(rows, x, scale, shift, forward, shape);
}

Tensor plain_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const GroupNormShape& shape) {
  const Tensor y = at::group_norm(x, shape.groups, weight, bias, shape.eps);
  return shape.activation == NormActivation::silu ? at::silu(y) : y;
}

}  // namespace fokker::kernel
