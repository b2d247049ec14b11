#pragma once
#include "fokker/condition/method/twist.h"

namespace fokker {

/// Twisted diffusion sampler (Wu et al. 2023, Algorithm 1): sequential Monte Carlo along the reverse chain.
/// The chain's particles of one measured row are steered by twisting functions p~_t(y | x_t) and weighed by
/// what the steering gets wrong,
///   p(x_s | x_t) = N(x_s; state x_t + data E[x_0 | x_t], variance + data^2 V_t),
///   q(x_s | x_t) = N(x_s; its mean + data V_t A^T K^-1 (y - A E[x_0 | x_t]), variance + data^2 V_t|y),
///   w = p(x_s | x_t) p~_s(y | x_s) / (p~_t(y | x_t) q(x_s | x_t)),
/// p~_t = N(y; A E[x_0 | x_t], K), K = S^2 I + A V_t A^T, and p~_0 the likelihood itself; the last step takes
/// the mean. In up to 16 dimensions V_t is the covariance of x_0 given x_t that the denoiser's Jacobian says
/// (Tweedie), and V_t|y that given y too, V_t - V_t A^T K^-1 A V_t: the chain then has the right mean and
/// covariance at every step, is exact for normal data in any number of them, and on mixtures is off by their
/// third cumulants alone. Else, and of measurements that are not linear (by their log_likelihood), both are
/// r_t^2 I (assumed_variance, pigdm.h), as published for sd = 1 but for the variance, which is DDPM's larger
/// one: exact for N(m, sd^2 I), and off by the first order in the steps.
///
/// Particles are resampled systematically where the effective sample size falls below `threshold` of them.
/// Any twist gives the right answer as the particles become many: the law that the chain of this grid makes,
/// weighed by the likelihood. Needs noise in y.
class Tds final : public PosteriorSampler {
 public:
  struct Options {
    double threshold = 0.5;
    TwistCovariance covariance = TwistCovariance::automatic;
  };
  explicit Tds(Options options);
  Tds() : Tds(Options{}) {}
  std::string name() const override { return "tds"; }
  void check_measurement(const Measurement& measurement) const override;
  bool interacts() const override { return true; }
  bool differentiates() const override { return true; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  double threshold_;
  TwistCovariance covariance_;
};

}  // namespace fokker
