#include "fokker/sample/chain/langevin.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

double checked_step(const char* name, double step) {
  check(step > 0 && std::isfinite(step), "{}: expected a step size > 0 but received {}", name, step);
  return step;
}

/// log q(to | from) of the Langevin proposal, up to its constant: -|to - from - h score(from)|^2 / (4 h).
Tensor log_proposal(const Tensor& to, const Tensor& from, const Tensor& score, double step) {
  return sum_events((to - from - step * score).square()) * (-0.25 / step);
}

}  // namespace

Tensor langevin_step(const Tensor& x, const Tensor& score, double step, const Tensor& noise) try {
  return at::add(x, score, step).add_(noise, std::sqrt(2 * step));
} catch (...) {
  detail::throw_as_error();
}

Ula::Ula(double step) : step_(checked_step("ula", step)) {}

void Ula::do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const {
  state.x = langevin_step(state.x, target.score(state.x), step_, noise(0));
  ++state.evaluations;
}

Mala::Mala(double step) : step_(checked_step("mala", step)) {}

void Mala::do_start(const Distribution& target, ChainState& state, const ChainNoise&) const {
  check(target.has_density(), "mala: {} has no density, which accepting a move needs; use ula",
        target.name());
  state.score = target.score(state.x);
  state.log_density = target.log_density(state.x);
  ++state.evaluations;
}

void Mala::do_step(const Distribution& target, ChainState& state, const ChainNoise& noise) const {
  const Tensor proposal = langevin_step(state.x, state.score, step_, noise(0));
  const Tensor score = target.score(proposal), log_density = target.log_density(proposal);
  const Tensor log_ratio = log_density - state.log_density + log_proposal(state.x, proposal, score, step_) -
                           log_proposal(proposal, state.x, state.score, step_);
  // The normal distribution function of a standard normal number is uniform.
  const Tensor log_uniform = at::special_log_ndtr(noise(1).flatten(1).select(1, 0));
  const Tensor accept = log_uniform < log_ratio;
  const Tensor rows = per_sample(accept, state.x);
  state.x = at::where(rows, proposal, state.x);
  state.score = at::where(rows, score, state.score);
  state.log_density = at::where(accept, log_density, state.log_density);
  ++state.evaluations;
  state.accepted += accept.sum().item<int64_t>();
  state.proposed += accept.size(0);
}

UnderdampedLangevin::UnderdampedLangevin(Options options) : options_(options) {
  checked_step("underdamped-langevin", options.step);
  check(options.friction > 0 && std::isfinite(options.friction),
        "underdamped-langevin: expected friction > 0 but received {}", options.friction);
}

void UnderdampedLangevin::do_start(const Distribution& target, ChainState& state,
                                   const ChainNoise& noise) const {
  state.velocity = noise(0);
  state.score = target.score(state.x);
  ++state.evaluations;
}

void UnderdampedLangevin::do_step(const Distribution& target, ChainState& state,
                                  const ChainNoise& noise) const {
  const double half = 0.5 * options_.step, damping = options_.friction * options_.step;
  Tensor velocity = at::add(state.velocity, state.score, half);
  Tensor x = at::add(state.x, velocity, half);
  velocity = at::add(velocity * std::exp(-damping), noise(0), std::sqrt(-std::expm1(-2 * damping)));
  x = at::add(x, velocity, half);
  state.x = x;
  state.score = target.score(x);
  state.velocity = at::add(velocity, state.score, half);
  ++state.evaluations;
}

}  // namespace fokker
