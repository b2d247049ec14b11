#pragma once
#include <limits>

#include "fokker/sample/sampler.h"

namespace fokker {

/// The stochastic sampler of Karras et al. (2022), Algorithm 2, on y = x/alpha with the noise level
/// r = sigma/alpha: raise the level from r to r (1 + gamma) by adding noise, with gamma =
/// min(churn / steps, sqrt(2) - 1) where low <= r <= high, then Heun's step in r down to the next level
/// (Euler's to 0). A raised level goes no higher than the process's at t = 1. With churn = 0 it is their
/// Algorithm 1.
///
/// Adding noise and the exact flow both keep the marginals, so with noise_scale = 1 the law is found to
/// order 2.
class EdmStochastic final : public Sampler {
 public:
  struct Options {
    double churn = 40;                                      ///< S_churn, spread over the steps of the run
    double low = 0;                                         ///< S_min
    double high = std::numeric_limits<double>::infinity();  ///< S_max
    double noise_scale = 1;                                 ///< S_noise
  };
  explicit EdmStochastic(Options options);
  EdmStochastic() : EdmStochastic(Options()) {}
  std::string name() const override { return "edm-stochastic"; }
  SamplerOrder order() const override {
    return {.deterministic = options_.churn == 0, .strong = options_.churn == 0 ? 2.0 : 1.0, .weak = 2};
  }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
