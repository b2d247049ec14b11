#include "fokker/sde/simulate.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/sde/jacobian.h"

namespace fokker {
namespace {

using Kind = Dispersion::Kind;

void check_times(const std::vector<double>& times, bool noisy) {
  check(times.size() >= 2, "simulate: expected at least two times but received {}", times.size());
  const bool down = !noisy && times[1] < times[0];
  for (size_t i = 0; i < times.size(); ++i)
    check(std::isfinite(times[i]) && (i == 0 || (down ? times[i] < times[i - 1] : times[i] > times[i - 1])),
          "simulate: expected {} times but received times[{}] = {}", down ? "decreasing" : "increasing", i,
          times[i]);
}

SdeMethod check_method(const Sde& sde, const SimulateOptions& options) {
  const bool noisy = sde.dispersion.kind() != Kind::none;
  const SdeMethod method =
      options.method.value_or(noisy ? SdeMethod::euler_maruyama : SdeMethod::runge_kutta_4);
  check(!noisy || method != SdeMethod::runge_kutta_4,
        "simulate: expected a method for processes with noise but received runge_kutta_4");
  check(!noisy || options.noise, "simulate: expected Wiener increments for a process with noise");
  return method;
}

/// Where Milstein's scheme would need Levy areas, it is refused.
void check_milstein(const Sde& sde, const Tensor& x, double t) {
  const Dispersion& sigma = sde.dispersion;
  check(sigma.kind() != Kind::matrix || sigma.noise_dimension(sde.dimension) == 1,
        "Milstein: expected scalar, diagonal or single-column noise but received {} columns",
        sigma.noise_dimension(sde.dimension));
  if (sigma.kind() != Kind::diagonal) return;
  const Tensor derivatives = jacobian([&](const Tensor& y) { return sigma.value(y, t); }, x);
  const Tensor largest = x.size(0) ? derivatives.abs().amax(0) : derivatives.sum(0);
  const Tensor others = largest - at::diag(at::diagonal(largest));
  const int64_t worst = others.argmax().item<int64_t>();
  check(others.max().item<double>() == 0,
        "Milstein: expected a diagonal dispersion whose entry i depends on x_i alone but entry {} depends on "
        "x_{}",
        worst / sde.dimension, worst % sde.dimension);
}

Tensor euler_maruyama_step(const Sde& sde, const Tensor& x, double t, double h, const Tensor& dB) {
  const Tensor next = x + h * drift(sde, x, t);
  return dB.defined() ? next + sde.dispersion.times(x, t, dB) : next;
}

/// 1/2 sum over k of sigma_k dsigma/dx_k (dB^2 - h): Kloeden and Platen (1992), eq. 10.3.1 and 10.3.12.
Tensor milstein_correction(const Sde& sde, const Tensor& x, double t, double h, const Tensor& dB) {
  const Dispersion& dispersion = sde.dispersion;
  if (dispersion.kind() == Kind::scalar) return at::zeros_like(x);
  const Tensor square = 0.5 * (dB.square() - h);
  const auto sigma = [&](const Tensor& y) { return dispersion.value(y, t); };
  if (dispersion.kind() == Kind::diagonal) return sigma(x) * gradient_of_sum(sigma, x) * square;
  const Tensor derivatives = jacobian([&](const Tensor& y) { return sigma(y).squeeze(2); }, x);
  return derivatives.matmul(sigma(x)).squeeze(2) * square;
}

/// The classical fourth-order method.
Tensor runge_kutta_step(const Sde& sde, const Tensor& x, double t, double h) {
  const Tensor k1 = drift(sde, x, t);
  const Tensor k2 = drift(sde, x + 0.5 * h * k1, t + 0.5 * h);
  const Tensor k3 = drift(sde, x + 0.5 * h * k2, t + 0.5 * h);
  const Tensor k4 = drift(sde, x + h * k3, t + h);
  return x + (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4);
}

Tensor increment(const Sde& sde, const Tensor& x, const SimulateOptions& options, const WienerStep& step) {
  if (sde.dispersion.kind() == Kind::none) return {};
  const std::vector<int64_t> shape{x.size(0), sde.dispersion.noise_dimension(sde.dimension)};
  const Tensor dB = options.noise(shape, step);
  check(dB.sizes() == IntArrayRef(shape), "simulate: expected increments of shape {} but received {}",
        shape_string(shape), shape_string(dB));
  return dB.to(x.options());
}

Tensor one_step(const Sde& sde, SdeMethod method, const Tensor& x, double t, double h, const Tensor& dB) {
  if (method == SdeMethod::runge_kutta_4) return runge_kutta_step(sde, x, t, h);
  const Tensor next = euler_maruyama_step(sde, x, t, h, dB);
  if (method == SdeMethod::euler_maruyama || !dB.defined()) return next;
  return next + milstein_correction(sde, x, t, h, dB);
}

}  // namespace

Tensor simulate(const Sde& sde, const Tensor& x0, const std::vector<double>& times,
                const SimulateOptions& options) try {
  check_states(sde, x0, "simulate");
  check_times(times, sde.dispersion.kind() != Kind::none);
  const SdeMethod method = check_method(sde, options);
  if (method == SdeMethod::milstein) check_milstein(sde, x0, times[0]);
  const GradientMode no_gradients(false);
  Tensor x = x0.detach();
  if (options.observer) options.observer({0, times[0], x});
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    check_stop();
    const auto step = static_cast<int64_t>(i);
    const Tensor dB = increment(sde, x, options, {options.first_sample, step, times[i], times[i + 1]});
    x = one_step(sde, method, x, times[i], times[i + 1] - times[i], dB);
    if (!at::isfinite(x).all().item<bool>())
      fail(ErrorKind::failed, "simulate: expected finite states but received nan or inf at step {}, t = {}",
           step + 1, times[i + 1]);
    if (options.observer) options.observer({step + 1, times[i + 1], x});
  }
  return x;
} catch (...) {
  detail::throw_as_error();
}

std::vector<double> uniform_times(double begin, double end, int64_t steps) {
  check(steps > 0, "uniform_times: expected steps > 0 but received {}", steps);
  std::vector<double> times;
  for (int64_t i = 0; i <= steps; ++i)
    times.push_back(begin + (end - begin) * static_cast<double>(i) / static_cast<double>(steps));
  times.back() = end;
  return times;
}

}  // namespace fokker
