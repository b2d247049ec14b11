#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Split Gibbs sampling (Vono, Dobigeon and Chainais 2019; with a diffusion prior Coeurdoux, Dobigeon and
/// Chainais 2024, Wu et al. 2024): on the law proportional to p(x) N(z; x, rho^2 I) p(y | z), in turns
///   z | x, y: exactly, by x + rho e_1 corrected as Matheron's rule says;
///   x | z: the reverse chain from the noise level sigma/alpha = rho at alpha z down to data.
/// x begins as E[x_0 | x_t] of the start. rho falls geometrically from `largest` to `smallest`, in units of
/// the data's deviation (PosteriorOptions), over the first half of the iterations and stays. With
/// rho fixed the chain's law of x is p(x) N(y; A x, S^2 I + rho^2 A A^T): off the posterior by rho^2 alone.
/// Takes measurements with and without noise; no derivatives of the denoiser.
class Gibbs final : public PosteriorSampler {
 public:
  struct Options {
    int64_t iterations = 30;
    double largest = 3, smallest = 0.1;
  };
  explicit Gibbs(Options options);
  Gibbs() : Gibbs(Options{}) {}
  std::string name() const override { return "gibbs"; }
  void check_measurement(const Measurement& measurement) const override;

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  double level(int64_t iteration) const;
  Options options_;
};

}  // namespace fokker
