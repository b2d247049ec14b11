#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// DPM-Solver++(2S) (Lu et al. 2022b, Algorithm 1): a second evaluation at the step's midpoint in log-SNR. A
/// step with an end at infinite log-SNR is first order (DDIM).
class DpmPp2S final : public Sampler {
 public:
  std::string name() const override { return "dpmpp-2s"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

/// The same step where E[x_0 | x_t] is known already.
StepResult dpmpp_2s_step(const Denoiser& denoiser, const Tensor& x, const Tensor& denoised, double t,
                         double s);

}  // namespace fokker
