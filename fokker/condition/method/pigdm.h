#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Variance of x_0 given x_t that PiGDM assumes: that of data of deviation sd, sigma^2 sd^2 / (alpha^2 sd^2 +
/// sigma^2).
double assumed_variance(const GaussianProcess& process, double t, double deviation);

/// Pseudoinverse-guided diffusion (Song, Vahdat, Mardani and Kautz 2023): the score gains
///   grad_{x_t} log N(y; A E[x_0 | x_t], S^2 I + r_t^2 A A^T)
/// with the covariance held fixed, r_t^2 = assumed_variance. With S = 0 this is (1/r_t^2) J^T A^+ (y - A
/// x_0). A sampler of the project then runs on that score (the paper's own step weighs the term by r_t^2 in a
/// step of DDIM). Exact where the data is N(m, sd^2 I).
class Pigdm final : public PosteriorSampler {
 public:
  /// sampler: what runs on the score, as make_sampler names it.
  explicit Pigdm(std::string sampler = "ancestral");
  std::string name() const override { return "pigdm"; }
  void check_measurement(const Measurement& measurement) const override;
  bool differentiates() const override { return true; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  std::string sampler_;
};

}  // namespace fokker
