#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// SDE-DPM-Solver++ (Lu et al. 2022b, eq. 18 and 19, with eta as in k-diffusion): in lambda, the linear part
/// and the noise of the diffusion that adds eta^2 times the reverse SDE's noise are solved exactly,
///   x_s = (sigma_s/sigma_t) e^{-eta h} x + alpha_s (1 - e^{-(1 + eta) h}) D + sigma_s sqrt(1 - e^{-2 eta h})
///   z.
/// eta = 1 is the reverse SDE, eta = 0 the probability flow.
class DpmPpSde final : public Sampler {
 public:
  enum class Form {
    multistep,   ///< 2M SDE: D extrapolated from the last two estimates; one evaluation
    singlestep,  ///< D from the midpoint in log-SNR on the same noise; two evaluations
  };
  struct Options {
    Form form = Form::multistep;
    double eta = 1.0;
  };
  explicit DpmPpSde(Options options);
  DpmPpSde() : DpmPpSde(Options()) {}
  std::string name() const override { return "dpmpp-sde"; }
  SamplerOrder order() const override;

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
