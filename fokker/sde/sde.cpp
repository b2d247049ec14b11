#include "fokker/sde/sde.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {

void check_states(const Sde& sde, const Tensor& x, const char* caller) {
  check(static_cast<bool>(sde.drift), "{}: expected an Sde with a drift but received none", caller);
  check(sde.dimension > 0, "{}: expected an Sde of dimension > 0 but received {}", caller, sde.dimension);
  check(x.dim() == 2 && x.size(1) == sde.dimension && x.is_floating_point(),
        "{}: expected floating-point states of shape (n, {}) but received {} {}", caller, sde.dimension,
        at::toString(x.scalar_type()), shape_string(x));
}

Tensor drift(const Sde& sde, const Tensor& x, double t) {
  const Tensor b = sde.drift(x, t);
  check(b.sizes() == x.sizes(), "Sde: expected a drift of shape {} but received {}", shape_string(x),
        shape_string(b));
  return b;
}

Tensor diffusion_divergence(const Sde& sde, const Tensor& x, double t) {
  if (!sde.divergence) return sde.dispersion.diffusion_divergence(x, t);
  const Tensor divergence = sde.divergence(x, t);
  check(divergence.sizes() == x.sizes(), "Sde: expected a divergence of shape {} but received {}",
        shape_string(x), shape_string(divergence));
  return divergence;
}

namespace {

/// div a + a score: what the noise adds to the drift when time is reversed.
Tensor score_terms(const Sde& sde, const StateFunction& score, const Tensor& x, double t) {
  const Tensor s = score(x, t);
  check(s.sizes() == x.sizes(), "Sde: expected a score of shape {} but received {}", shape_string(x),
        shape_string(s));
  return diffusion_divergence(sde, x, t) + sde.dispersion.diffusion_times(x, t, s);
}

void check_parts(const Sde& sde, const StateFunction& score, const char* caller) {
  check(static_cast<bool>(sde.drift) && sde.dimension > 0,
        "{}: expected an Sde with a drift and dimension > 0 but received dimension {}", caller,
        sde.dimension);
  check(static_cast<bool>(score), "{}: expected a score but received none", caller);
}

}  // namespace

Sde reverse(const Sde& sde, StateFunction score, double T) {
  check_parts(sde, score, "reverse");
  check(std::isfinite(T) && T > 0, "reverse: expected a final time T > 0 but received {}", T);
  Sde result{.dispersion = sde.dispersion.reversed(T), .dimension = sde.dimension};
  result.drift = [sde, score = std::move(score), T](const Tensor& x, double t) {
    return score_terms(sde, score, x, T - t) - drift(sde, x, T - t);
  };
  if (sde.divergence)
    result.divergence = [f = sde.divergence, T](const Tensor& x, double t) { return f(x, T - t); };
  return result;
}

Sde probability_flow(const Sde& sde, StateFunction score) {
  check_parts(sde, score, "probability_flow");
  Sde result{.dimension = sde.dimension};
  result.drift = [sde, score = std::move(score)](const Tensor& x, double t) {
    return drift(sde, x, t) - 0.5 * score_terms(sde, score, x, t);
  };
  return result;
}

Sde langevin(std::function<Tensor(const Tensor&)> score, int64_t dimension) {
  check(static_cast<bool>(score), "langevin: expected a score but received none");
  check(dimension > 0, "langevin: expected dimension > 0 but received {}", dimension);
  return {.drift = [score = std::move(score)](const Tensor& x, double) { return score(x); },
          .dispersion = Dispersion::scalar(std::sqrt(2.0)),
          .dimension = dimension};
}

Sde forward_sde(const GaussianProcess& process, int64_t dimension) {
  check(dimension > 0, "forward_sde: expected dimension > 0 but received {}", dimension);
  const Schedule& schedule = process.schedule();
  return {.drift = [schedule](const Tensor& x, double t) { return schedule->drift(t) * x; },
          .dispersion =
              Dispersion::scalar([schedule](double t) { return std::sqrt(schedule->diffusion_squared(t)); }),
          .dimension = dimension};
}

Sde brownian_motion(int64_t dimension, double sigma) {
  check(dimension > 0, "brownian_motion: expected dimension > 0 but received {}", dimension);
  return {.drift = [](const Tensor& x, double) { return at::zeros_like(x); },
          .dispersion = Dispersion::scalar(sigma),
          .dimension = dimension};
}

}  // namespace fokker
