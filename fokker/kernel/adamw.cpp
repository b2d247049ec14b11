#include "fokker/kernel/adamw.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "fokker/core/error.h"

namespace fokker {
namespace {

template <typename T>
void update(const AdamWState& state, const AdamWStep& s) {
  T* w = state.parameters.data_ptr<T>();
  const T* g = state.gradients.data_ptr<T>();
  T* m = state.first_moment.data_ptr<T>();
  T* v = state.second_moment.data_ptr<T>();
  T* average = state.average.data_ptr<T>();
  const auto b1 = static_cast<T>(s.beta1), b2 = static_cast<T>(s.beta2);
  const auto rate = static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, s.step)));
  const auto unbias = static_cast<T>(1 / (1 - std::pow(s.beta2, s.step)));
  const auto keep = static_cast<T>(1 - s.learning_rate * s.weight_decay);
  const auto epsilon = static_cast<T>(s.epsilon), scale = static_cast<T>(s.gradient_scale);
  const auto decay = static_cast<T>(s.ema_decay);
  at::parallel_for(0, state.parameters.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T gradient = g[i] * scale;
      m[i] = b1 * m[i] + (1 - b1) * gradient;
      v[i] = b2 * v[i] + (1 - b2) * gradient * gradient;
      w[i] = keep * w[i] - rate * m[i] / (std::sqrt(v[i] * unbias) + epsilon);
      average[i] = decay * average[i] + (1 - decay) * w[i];
    }
  });
}

}  // namespace

void adamw_step(const AdamWState& state, const AdamWStep& step) {
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

}  // namespace fokker
