// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/vector/adamw.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
// clang-format on

#include "fokker/kernel/vector/adamw.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/kernel/vector/vector_loops-inl.h"

#ifndef FOKKER_KERNEL_ADAMW_NUMBERS
#define FOKKER_KERNEL_ADAMW_NUMBERS
namespace fokker::kernel {

template <typename T>
struct AdamWNumbers {
  T b1, b2, rate, unbias, keep, epsilon, scale, decay;
};

}  // namespace fokker::kernel
#endif

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A vector of numbers from i on.
template <class D, class Access, typename T = hn::TFromD<D>>
HWY_INLINE void update_vector(D d, Access access, int64_t i, const AdamWNumbers<T>& c, T* w, const T* g, T* m,
                              T* v, T* average) {
  const auto mix = [d](T share, auto old, auto fresh) HWY_ATTR {
    return hn::MulAdd(hn::Set(d, share), old, hn::Mul(hn::Set(d, 1 - share), fresh));
  };
  const auto gradient = hn::Mul(access.load(d, g + i), hn::Set(d, c.scale));
  const auto first = mix(c.b1, access.load(d, m + i), gradient);
  const auto second = mix(c.b2, access.load(d, v + i), hn::Mul(gradient, gradient));
  const auto size = hn::Add(hn::Sqrt(hn::Mul(second, hn::Set(d, c.unbias))), hn::Set(d, c.epsilon));
  const auto step = hn::Div(hn::Mul(hn::Set(d, c.rate), first), size);
  const auto weight = hn::Sub(hn::Mul(hn::Set(d, c.keep), access.load(d, w + i)), step);
  access.store(first, d, m + i);
  access.store(second, d, v + i);
  access.store(weight, d, w + i);
  access.store(mix(c.decay, access.load(d, average + i), weight), d, average + i);
}

template <typename T>
HWY_INLINE void update_range(int64_t count, const AdamWNumbers<T>& c, T* w, const T* g, T* m, T* v,
                             T* average) {
  const hn::ScalableTag<T> d;
  for_vectors(d, count,
              [&](auto access, int64_t i) HWY_ATTR { update_vector(d, access, i, c, w, g, m, v, average); });
}

void adamw_floats(int64_t count, const AdamWNumbers<float>& c, float* w, const float* g, float* m, float* v,
                  float* average) {
  update_range(count, c, w, g, m, v, average);
}
void adamw_doubles(int64_t count, const AdamWNumbers<double>& c, double* w, const double* g, double* m,
                   double* v, double* average) {
  update_range(count, c, w, g, m, v, average);
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(adamw_floats);
HWY_EXPORT(adamw_doubles);

namespace {

void check_state(const AdamWState& s, int64_t step) {
  check(step > 0, "adamw: expected a step that counts from 1 but received {}", step);
  for (const Tensor* t : {&s.parameters, &s.gradients, &s.first_moment, &s.second_moment, &s.average})
    check(t->defined() && t->is_contiguous() && t->numel() == s.parameters.numel() &&
              t->scalar_type() == s.parameters.scalar_type() && t->device() == s.parameters.device(),
          "adamw: expected contiguous buffers of one length, {}, and one type but received {}",
          s.parameters.numel(), t->defined() ? shape_string(*t) : "an undefined tensor");
}

void adamw_range(int64_t count, const AdamWNumbers<float>& c, float* w, const float* g, float* m, float* v,
                 float* average) {
  HWY_DYNAMIC_DISPATCH(adamw_floats)(count, c, w, g, m, v, average);
}
void adamw_range(int64_t count, const AdamWNumbers<double>& c, double* w, const double* g, double* m,
                 double* v, double* average) {
  HWY_DYNAMIC_DISPATCH(adamw_doubles)(count, c, w, g, m, v, average);
}

template <typename T>
void update(const AdamWState& state, const AdamWStep& s) {
  T* w = state.parameters.data_ptr<T>();
  const T* g = state.gradients.data_ptr<T>();
  T* m = state.first_moment.data_ptr<T>();
  T* v = state.second_moment.data_ptr<T>();
  T* average = state.average.data_ptr<T>();
  const AdamWNumbers<T> numbers{
      .b1 = static_cast<T>(s.beta1),
      .b2 = static_cast<T>(s.beta2),
      .rate = static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, s.step))),
      .unbias = static_cast<T>(1 / (1 - std::pow(s.beta2, s.step))),
      .keep = static_cast<T>(1 - s.learning_rate * s.weight_decay),
      .epsilon = static_cast<T>(s.epsilon),
      .scale = static_cast<T>(s.gradient_scale),
      .decay = static_cast<T>(s.ema_decay),
  };
  at::parallel_for(0, state.parameters.numel(), 16384, [&](int64_t begin, int64_t end) {
    adamw_range(end - begin, numbers, w + begin, g + begin, m + begin, v + begin, average + begin);
  });
}

}  // namespace

void adamw_step(const AdamWState& state, const AdamWStep& step) {
  check(state.parameters.defined(), "adamw: expected parameters but received an undefined tensor");
  check_state(state, step.step);
  if (!state.parameters.is_cpu()) return adamw_step_plain(state, step);
  if (state.parameters.scalar_type() == at::kDouble) return update<double>(state, step);
  check(state.parameters.scalar_type() == at::kFloat,
        "adamw: expected float32 or float64 parameters but received {}",
        at::toString(state.parameters.scalar_type()));
  update<float>(state, step);
}

void adamw_step_plain(const AdamWState& state, const AdamWStep& s) {
  const GradientMode no_gradients(false);
  const Tensor gradient = state.gradients * s.gradient_scale;
  state.first_moment.mul_(s.beta1).add_(gradient, 1 - s.beta1);
  state.second_moment.mul_(s.beta2).addcmul_(gradient, gradient, 1 - s.beta2);
  const Tensor denominator = (state.second_moment / (1 - std::pow(s.beta2, s.step))).sqrt_().add_(s.epsilon);
  const double rate = s.learning_rate / (1 - std::pow(s.beta1, s.step));
  state.parameters.mul_(1 - s.learning_rate * s.weight_decay)
      .addcdiv_(state.first_moment, denominator, -rate);
  state.average.mul_(s.ema_decay).add_(state.parameters, 1 - s.ema_decay);
}

}  // namespace fokker::kernel
#endif
