#pragma once
#include "fokker/sample/step/past.h"

namespace fokker {

/// DPM-Solver++(3M): exponential integrator in log-SNR on the parabola through the last three denoised
/// estimates (Lu et al. 2022b; an exponential Adams method). The step to sigma = 0 is first order.
///
/// The weights printed and in common use (`multistep_dpm_solver_third_order_update`) give the parabola's
/// curvature half of what it needs, and so reach order 2 only; `Weights::published` reproduces them.
class DpmPp3M final : public Sampler {
 public:
  enum class Weights { exact, published };
  struct Options {
    Weights weights = Weights::exact;
    Start start = Start::lower_order;
  };
  explicit DpmPp3M(Options options) : options_(options) {}
  DpmPp3M() : DpmPp3M(Options()) {}
  std::string name() const override { return "dpmpp-3m"; }
  SamplerOrder order() const override;
  int64_t least_steps() const override { return 3; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
