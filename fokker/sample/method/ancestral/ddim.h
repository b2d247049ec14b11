#pragma once
#include "fokker/sample/sampler.h"
#include "fokker/sample/step/ddim_step.h"

namespace fokker {

/// Song et al. (2021), DDIM, eq. 12: x_s = alpha_s E[x_0] + sqrt(sigma_s^2 - eta^2 v) E[eps] + eta sqrt(v) z
/// with v the posterior variance. eta = 0 is Euler's method for x/alpha in the variable sigma/alpha; eta = 1
/// is `Ancestral`. With eta = 0 it runs both ways: on a grid from data to noise it is DDIM inversion.
class Ddim final : public Sampler {
 public:
  explicit Ddim(double eta = 0.0);
  std::string name() const override { return "ddim"; }
  SamplerOrder order() const override { return {.deterministic = eta_ == 0, .strong = 1, .weak = 1}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  double eta_;
};

}  // namespace fokker
