#include "fokker/objective/elbo.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/objective/chain.h"
#include "fokker/objective/noised_batch.h"

namespace fokker {

std::vector<double> elbo_times(const GaussianProcess& process, int64_t steps) {
  const int64_t n = chain_length(process, steps);
  std::vector<double> times;
  for (int64_t i = process.sigma(0) > 0 ? 0 : 1; i <= n; ++i)
    times.push_back(static_cast<double>(i) / static_cast<double>(n));
  return times;
}

ElboTerm elbo_term(const GaussianProcess& process, const std::vector<double>& times, size_t index,
                   ElboOptions::Variance variance) {
  const double t = times[index];
  if (index == 0) {
    const double v = process.sigma(t) * process.sigma(t);
    return {1 / (2 * v), 0.5 * std::log(2 * std::numbers::pi * v)};
  }
  const double s = times[index - 1];
  const PosteriorCoefficients back = process.posterior(s, t);
  const double q = back.variance;
  const double p = variance == ElboOptions::Variance::posterior ? q : process.transition(s, t).variance;
  return {back.data * back.data / (2 * p), 0.5 * (std::log(p / q) + q / p - 1)};
}

Tensor elbo_prior(const GaussianProcess& process, const Tensor& x0) try {
  const double a = process.alpha(1), v = process.prior_variance();
  const double ratio = process.sigma(1) * process.sigma(1) / v;
  const auto d = static_cast<double>(event_size(x0.sizes()));
  return sum_events(x0.square()) * (a * a / (2 * v)) + 0.5 * d * (ratio - 1 - std::log(ratio));
} catch (...) {
  detail::throw_as_error();
}

namespace {

constexpr int64_t fewest_control_draws = 8, most_control_draws = 64;

/// The squared error of the denoiser at one time and |eps|^2 less its mean, both (n).
struct SquaredError {
  Tensor error, control;
};

SquaredError squared_error(const Denoiser& denoiser, const Batch& batch, double t, const Rng& rng) {
  const NoisedBatch noised = noise_batch_at(denoiser.process(), batch, t, 0.0, rng);
  const Tensor denoised = denoiser.estimate(noised.x, noised.t, batch.label).denoised();
  return {sum_events((batch.x0 - denoised).square()),
          sum_events(noised.noise.square()) - static_cast<double>(event_size(noised.noise.sizes()))};
}

double slope(const SquaredError& pair) {
  const Tensor y = pair.error.to(at::kDouble), x = pair.control.to(at::kDouble);
  const Tensor centred = x - x.mean();
  const double square = centred.square().sum().item<double>();
  return square > 0 ? (centred * y).sum().item<double>() / square : 0;
}

}  // namespace

Tensor elbo_controls(const Denoiser& denoiser, const Tensor& x0, const ElboOptions& options, const Rng& rng,
                     const Tensor& label) try {
  const int64_t draws = std::clamp(x0.size(0), fewest_control_draws, most_control_draws);
  const Tensor rows = at::arange(draws, at::kLong).remainder(x0.size(0)).to(x0.device());
  const auto some = [&](const Tensor& t) { return t.defined() ? t.index_select(0, rows) : t; };
  Batch batch{.x0 = some(x0), .label = some(label)};
  const auto times = elbo_times(denoiser.process(), options.steps);
  Tensor controls = at::empty({static_cast<int64_t>(times.size())}, at::kDouble);
  for (size_t i = 0; i < times.size(); ++i) {
    batch.step = static_cast<uint64_t>(i);
    controls.data_ptr<double>()[i] = slope(squared_error(denoiser, batch, times[i], rng.stream("controls")));
  }
  return controls;
} catch (...) {
  detail::throw_as_error();
}

ElboTerms elbo_terms(const Denoiser& denoiser, const Tensor& x0, const ElboOptions& options, const Rng& rng,
                     const Tensor& label, const Tensor& controls) try {
  const GaussianProcess& process = denoiser.process();
  ElboTerms terms{.times = elbo_times(process, options.steps),
                  .reconstruction = {},
                  .divergences = {},
                  .prior = elbo_prior(process, x0)};
  const Tensor factors =
      (controls.defined() ? controls : elbo_controls(denoiser, x0, options, rng, label)).contiguous();
  check(factors.dim() == 1 && factors.size(0) == static_cast<int64_t>(terms.times.size()),
        "elbo_terms: expected a control for each of {} times but received {}", terms.times.size(),
        shape_string(factors));
  const auto d = static_cast<double>(event_size(x0.sizes()));
  std::vector<Tensor> all;
  for (size_t i = 0; i < terms.times.size(); ++i) {
    const ElboTerm term = elbo_term(process, terms.times, i, options.variance);
    const Batch batch{.x0 = x0, .label = label, .step = static_cast<uint64_t>(i)};
    const auto [error, control] = squared_error(denoiser, batch, terms.times[i], rng);
    all.push_back((error - factors.data_ptr<double>()[i] * control) * term.error + d * term.constant);
  }
  terms.reconstruction = all[0];
  const at::ArrayRef<Tensor> rest = at::ArrayRef<Tensor>(all).slice(1);
  terms.divergences = rest.empty() ? at::zeros({0, x0.size(0)}, x0.options()) : at::stack(rest);
  return terms;
} catch (...) {
  detail::throw_as_error();
}

Tensor ElboObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const GaussianProcess& process = denoiser.process();
  const auto times = elbo_times(process, options_.bound.steps);
  const auto count = static_cast<int64_t>(times.size());
  const Tensor which = batch_chain_steps(count, batch, rng) - 1;
  const auto map_index = [&](auto function, const Tensor& like) {
    return Times(which).map([&](double index) { return function(static_cast<size_t>(index)); }, like);
  };
  const Tensor t = map_index([&](size_t i) { return times[i]; }, which).contiguous();
  const NoisedBatch noised = noise_batch_at(process, batch, Times(t), options_.label_dropout, rng);
  const auto part = [&](double ElboTerm::*member) {
    return map_index([&](size_t i) { return elbo_term(process, times, i, options_.bound.variance).*member; },
                     batch.x0)
        .reshape({-1});
  };
  const Tensor denoised = denoiser.estimate(noised.x, noised.t, noised.label).denoised();
  const auto d = static_cast<double>(event_size(batch.x0.sizes()));
  const Tensor term =
      sum_events((batch.x0 - denoised).square()) * part(&ElboTerm::error) + d * part(&ElboTerm::constant);
  return (static_cast<double>(count) * term + elbo_prior(process, batch.x0)) / d;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
