#include "fokker/objective/chain.h"

#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/objective/noised_batch.h"

namespace fokker {
namespace {

/// What one step i of the chain needs, at t = i/N and s = (i - 1)/N.
struct ChainStep {
  double beta = 0;             ///< variance of q(x_i | x_{i-1})
  PosteriorCoefficients back;  ///< q(x_{i-1} | x_i, x_0)
  double noise_to_mean = 0;    ///< |mu-tilde - mu_theta| = noise_to_mean |eps - eps_theta|
};

ChainStep chain_step(const GaussianProcess& process, int64_t steps, double t) {
  const auto n = static_cast<double>(steps);
  const double s = (std::round(t * n) - 1) / n;
  ChainStep step{process.transition(s, t).variance, process.posterior(s, t), 0};
  step.noise_to_mean = step.back.data * std::exp(-0.5 * process.log_snr(t));
  return step;
}

/// E[-log p(x_N) | x_0] per row for p = N(0, v I).
Tensor prior_term(const GaussianProcess& process, const Tensor& x0) {
  const double a = process.alpha(1), s = process.sigma(1), v = process.prior_variance();
  const auto d = static_cast<double>(event_size(x0.sizes()));
  return sum_events(x0.square()) * (a * a / (2 * v)) +
         d * (s * s / (2 * v) + 0.5 * std::log(2 * std::numbers::pi * v));
}

}  // namespace

int64_t chain_length(const GaussianProcess& process, int64_t steps) {
  check(steps >= 0, "chain: expected steps > 0 but received {}", steps);
  if (steps > 0) return steps;
  const int64_t own = process.schedule()->chain_steps();
  return own > 0 ? own : 1000;
}

ChainObjective::ChainObjective(Options options) : options_(options) {
  check(options.steps >= 0, "chain: expected steps > 0 but received {}", options.steps);
}

Tensor ChainObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const int64_t steps = chain_length(denoiser.process(), options_.steps);
  return loss_at(denoiser, batch, batch_chain_steps(steps, batch, rng), rng);
} catch (...) {
  detail::throw_as_error();
}

Tensor ChainObjective::loss_at(const Denoiser& denoiser, const Batch& batch, const Tensor& which,
                               const Rng& rng) const {
  const GaussianProcess& process = denoiser.process();
  const int64_t steps = chain_length(process, options_.steps);
  const auto n = static_cast<double>(steps), d = static_cast<double>(event_size(batch.x0.sizes()));
  const NoisedBatch noised = noise_batch_at(process, batch, Times(which / n), options_.label_dropout, rng);
  const Estimate estimate = denoiser.estimate(noised.x, noised.t, noised.label);
  check(
      options_.form != Form::weighted_noise || process.alpha(1) > 0,
      "objective weighted-noise: expected a process that keeps something of the data but alpha(1) = 0, where "
      "the weight of the last step is infinite; use mean-matching");
  const auto coefficient = [&](auto part) {
    return noised.t.map([&](double t) { return part(chain_step(process, steps, t)); }, noised.x);
  };
  if (options_.form == Form::simple) return sum_events((estimate.noise() - noised.noise).square()) / d;
  if (options_.form == Form::weighted_noise) {
    const Tensor weight =
        coefficient([](const ChainStep& c) { return c.noise_to_mean * c.noise_to_mean / (2 * c.beta); });
    return sum_events((estimate.noise() - noised.noise).square()) * weight.reshape({-1}) * (n / d);
  }
  const Tensor data = coefficient([](const ChainStep& c) { return c.back.data; });
  const Tensor precision = coefficient([](const ChainStep& c) { return 1 / (2 * c.beta); }).reshape({-1});
  const Tensor gap = data * (batch.x0 - estimate.denoised());
  if (options_.form == Form::mean_matching) return sum_events(gap.square()) * precision * (n / d);
  const Tensor spread = coefficient([](const ChainStep& c) { return std::sqrt(c.back.variance); });
  const Tensor z = rng.stream("earlier state")
                       .normal(batch.x0.sizes(), batch.position(), batch.x0.options().dtype(at::kFloat))
                       .to(batch.x0.options());
  const Tensor normaliser = coefficient([](const ChainStep& c) {
                              return 0.5 * std::log(2 * std::numbers::pi * c.beta);
                            }).reshape({-1});
  return (sum_events((gap + spread * z).square()) * precision + d * normaliser) * (n / d) +
         prior_term(process, batch.x0) / d;
}

}  // namespace fokker
