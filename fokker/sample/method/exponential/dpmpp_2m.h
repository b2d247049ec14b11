#pragma once
#include "fokker/sample/step/log_snr_step.h"

namespace fokker {

/// DPM-Solver++(2M) (Lu et al. 2022b, Algorithm 2): exponential integrator in log-SNR that extrapolates the
/// denoised estimate from the last two steps. Its first step, and one that ends at sigma = 0, is first order
/// (DDIM).
class DpmPp2M final : public Sampler {
 public:
  std::string name() const override { return "dpmpp-2m"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

/// The denoised estimate extrapolated linearly in log-SNR to the step's middle from this step's and the one
/// before, which the context remembers; this step's alone where there is none before.
Tensor two_step_direction(const LogSnrStep& step, const Tensor& denoised, StepContext& context);

}  // namespace fokker
