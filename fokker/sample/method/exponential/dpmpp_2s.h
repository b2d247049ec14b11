#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// DPM-Solver++(2S) (Lu et al. 2022b, Algorithm 1): a second evaluation within the step, at its midpoint in
/// log-SNR unless told otherwise. A step with an end at infinite log-SNR is first order (DDIM).
class DpmPp2S final : public Sampler {
 public:
  struct Options {
    double ratio = 0.5;  ///< r: where in the step's log-SNR the second evaluation is, in (0, 1]
    /// Steps go in pairs, whose second evaluation is at the time between them: one evaluation a step, and the
    /// state shown after the first of a pair is DDIM's. A step to sigma = 0 is first order.
    bool paired = false;
  };
  explicit DpmPp2S(Options options);
  DpmPp2S() : DpmPp2S(Options()) {}
  std::string name() const override { return "dpmpp-2s"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  static StepResult paired_step(const Denoiser& denoiser, const Tensor& x, StepContext& context);
  Options options_;
};

/// The same step where E[x_0 | x_t] is known already.
StepResult dpmpp_2s_step(const Denoiser& denoiser, const Tensor& x, const Tensor& denoised, double t,
                         double s, double ratio = 0.5);

}  // namespace fokker
