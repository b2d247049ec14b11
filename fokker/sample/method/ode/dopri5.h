#pragma once
#include "fokker/sample/sampler.h"
#include "fokker/sde/dormand_prince.h"

namespace fokker {

/// Dormand and Prince's embedded pair 5(4) in t on the probability flow (DormandPrince: the worst row of the
/// batch chooses the step). Before an end with sigma = 0 it stops at the process's time_min and takes the
/// denoised estimate there.
class Dopri5 final : public Sampler {
 public:
  using Options = DormandPrince::Options;
  explicit Dopri5(Options options);
  Dopri5() : Dopri5(Options()) {}
  std::string name() const override { return "dopri5"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 5, .weak = 5}; }
  bool adaptive() const override { return true; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
