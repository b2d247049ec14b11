#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Twisted diffusion sampler (Wu et al. 2023, Algorithm 1): sequential Monte Carlo along the reverse chain.
/// The chain's particles of one measured row are steered by twisting functions p~_t(y | x_t) and weighed by
/// what the steering gets wrong,
///   p(x_s | x_t) = N(x_s; state x_t + data E[x_0 | x_t], variance + data^2 r_t^2),
///   q(x_s | x_t) = p(x_s - data (sigma^2/alpha) grad log p~_t | x_t),
///   w = p(x_s | x_t) p~_s(y | x_s) / (p~_t(y | x_t) q(x_s | x_t)),
/// where r_t^2 (assumed_variance, pigdm.h) is what x_0 varies by given x_t, so that the chain is exact for
/// N(m, sd^2 I) data in any number of steps (for sd = 1 it is DDPM's with the larger variance); the last step
/// takes the mean. p~_t = N(y; A E[x_0 | x_t], S^2 I + r_t^2 A A^T) (of measurements that are not linear what
/// their log_likelihood says) and p~_0 the likelihood itself. Particles are resampled systematically where
/// the effective sample size falls below `threshold` of them. Any twist gives the right answer as the
/// particles become many: the law that the chain of this grid makes, weighed by the likelihood; the chain's
/// own error is of first order in the steps. Needs noise in y.
class Tds final : public PosteriorSampler {
 public:
  explicit Tds(double threshold = 0.5);
  std::string name() const override { return "tds"; }
  void check_measurement(const Measurement& measurement) const override;
  bool interacts() const override { return true; }
  bool differentiates() const override { return true; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  double threshold_;
};

}  // namespace fokker
