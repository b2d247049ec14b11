#pragma once
#include <concepts>
#include <functional>
#include <optional>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/process/schedule.h"

namespace fokker {

/// One time for all samples, or one per sample: (n) float64 on the CPU. Implicit from either.
class Times {
 public:
  Times(double t) : scalar_(t) {}
  Times(const Tensor& t);

  bool is_scalar() const { return !tensor_.defined(); }
  double scalar() const;
  /// The times as an (n) float64 tensor.
  Tensor tensor(int64_t n) const;
  /// function(t) as a tensor that multiplies `like` (n, ...): 0-dimensional for one time, (n, 1, ...)
  /// otherwise.
  Tensor map(const std::function<double(double)>& function, const Tensor& like) const;

 private:
  double scalar_ = 0;
  Tensor tensor_;
};

/// x_s given x_t and x_0: normal with mean data x_0 + state x_t and variance `variance` (per coordinate).
struct PosteriorCoefficients {
  double data = 0;
  double state = 0;
  double variance = 0;
};

/// x_t given x_s for s < t: normal with mean scale x_s and variance `variance`.
struct TransitionCoefficients {
  double scale = 1;
  double variance = 0;
};

/// The Gaussian process x_t = alpha(t) x_0 + sigma(t) eps of a schedule, on any event shape.
class GaussianProcess {
 public:
  GaussianProcess(Schedule schedule) : schedule_(std::move(schedule)) {}
  template <typename Options>
  requires std::constructible_from<Schedule, Options> &&
      (!std::same_as<Options, Schedule>)GaussianProcess(Options options)
      : schedule_(Schedule(std::move(options))) {}

  const Schedule& schedule() const { return schedule_; }
  double alpha(double t) const { return schedule_.alpha(t); }
  double sigma(double t) const { return schedule_->sigma(t); }
  double log_snr(double t) const { return schedule_->log_snr(t); }

  /// alpha(t) x_0 + sigma(t) noise. x0, noise: (n, ...).
  Tensor perturb(const Tensor& x0, const Tensor& noise, const Times& t) const;

  /// Law of x_t given x_s, 0 <= s <= t: for a chain's table on its grid this is q(x_t | x_{t-1}).
  TransitionCoefficients transition(double s, double t) const;

  /// Law of x_s given x_t and x_0, 0 <= s < t: DDPM's mu-tilde and beta-tilde (Ho et al. 2020, eq. 7) on any
  /// grid.
  PosteriorCoefficients posterior(double s, double t) const;

  /// The earliest time worth training at and sampling to: where sigma/alpha = 0.005 (unit data), a chain's
  /// first step, or 0 where the process is noisy there already.
  double time_min() const;

  /// Variance of the law at t = 1 that sampling starts from: data of unit variance is assumed,
  /// alpha(1)^2 + sigma(1)^2 (1 for variance preserving processes and the flow).
  double prior_variance() const;
  /// Draws from N(0, prior_variance): (n, ...).
  Tensor sample_prior(IntArrayRef shape, const NoiseSource& noise, int64_t first_sample = 0) const;
  Tensor sample_prior(IntArrayRef shape, const Rng& rng, int64_t first_sample = 0) const;
  /// log density of the prior in nats: (n, ...) -> (n).
  Tensor log_prior(const Tensor& x) const;

 private:
  Schedule schedule_;
};

/// The first of 65 equally spaced times at which alpha or sigma of two processes differ by more than 1e-6 of
/// the larger (rounding in a model's file is less); nothing where they agree.
std::optional<double> first_difference(const GaussianProcess& a, const GaussianProcess& b);

}  // namespace fokker
