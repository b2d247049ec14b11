#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// The reverse SDE with an adaptive step size (Jolicoeur-Martineau et al. 2021, "Gotta go fast", Algorithm
/// 1): Euler-Maruyama x' and stochastic improved Euler x'' on the same noise; x'' is kept where every row has
///   RMS over the row of (x' - x'') / (atol + rtol max(|x|, |x'|)) <= 1,
/// and the next step is 0.9 h E^{-0.9}. Unlike the published algorithm, which draws new noise after a
/// rejection and so favours small noise, a rejected step's noise is kept and divided by a Brownian bridge
/// (Rackauckas and Nie 2017, rejection sampling with memory): the path does not depend on the steps. One step
/// size serves the batch.
class AdaptiveSde final : public Sampler {
 public:
  struct Options {
    double rtol = 0.01;
    double atol = 0.01;
  };
  explicit AdaptiveSde(Options options);
  AdaptiveSde() : AdaptiveSde(Options()) {}
  std::string name() const override { return "adaptive-sde"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 1, .weak = 2}; }
  bool adaptive() const override { return true; }
  bool needs_sde() const override { return true; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
