#include "fokker/kernel/adamw.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "fokker/core/error.h"
#include "fokker/kernel/vector_clones.h"

namespace fokker {
namespace {

template <typename T>
struct AdamWNumbers {
  T b1, b2, rate, unbias, keep, epsilon, scale, decay;
};

template <typename T>
inline __attribute__((always_inline)) void update_range(int64_t count, const AdamWNumbers<T>& c,
                                                        T* __restrict w, const T* __restrict g,
                                                        T* __restrict m, T* __restrict v,
                                                        T* __restrict average) {
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = g[i] * c.scale;
    m[i] = c.b1 * m[i] + (1 - c.b1) * gradient;
    v[i] = c.b2 * v[i] + (1 - c.b2) * gradient * gradient;
    w[i] = c.keep * w[i] - c.rate * m[i] / (std::sqrt(v[i] * c.unbias) + c.epsilon);
    average[i] = c.decay * average[i] + (1 - c.decay) * w[i];
  }
}

FOKKER_VECTOR_CLONES void adamw_range(int64_t count, const AdamWNumbers<float>& c, float* w, const float* g,
                                      float* m, float* v, float* average) {
  update_range(count, c, w, g, m, v, average);
}
FOKKER_VECTOR_CLONES void adamw_range(int64_t count, const AdamWNumbers<double>& c, double* w,
                                      const double* g, double* m, double* v, double* average) {
  update_range(count, c, w, g, m, v, average);
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
