#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Dormand and Prince's embedded pair 5(4) in t on the probability flow, with a PI step size controller
/// (Hairer, Norsett and Wanner, Solving ODEs I, II.4 and II.5). A step is accepted where every row of the
/// batch has
///   RMS over the row of error / (atol + rtol max(|x|, |x_next|)) <= 1,
/// so one step size serves the batch and the worst row chooses it. Before an end with sigma = 0 it stops at
/// the process's time_min and takes the denoised estimate there.
class Dopri5 final : public Sampler {
 public:
  struct Options {
    double rtol = 1e-5;
    double atol = 1e-5;
    int64_t most_steps = 100'000;  ///< tried between two times of the grid, before it gives up
  };
  explicit Dopri5(Options options);
  Dopri5() : Dopri5(Options()) {}
  std::string name() const override { return "dopri5"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 5, .weak = 5}; }
  bool adaptive() const override { return true; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;

 private:
  Options options_;
};

}  // namespace fokker
