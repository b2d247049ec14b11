#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Song et al. (2021), DDIM, eq. 12: x_s = alpha_s E[x_0] + sqrt(sigma_s^2 - eta^2 v) E[eps] + eta sqrt(v) z
/// with v the posterior variance. eta = 0 is Euler's method for x/alpha in the variable sigma/alpha; eta = 1
/// is `Ancestral`. With eta = 0 it runs both ways: on a grid from data to noise it is DDIM inversion.
class Ddim final : public Sampler {
 public:
  explicit Ddim(double eta = 0.0);
  std::string name() const override { return "ddim"; }
  SamplerOrder order() const override { return {.deterministic = eta_ == 0, .strong = 1, .weak = 1}; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;

 private:
  double eta_;
};

/// DDIM's step to time s without noise, alpha_s E[x_0] + sigma_s E[eps]: defined at every t and s, so it is
/// what other methods do where their own variables are infinite.
Tensor ddim_step(const Estimate& estimate, const GaussianProcess& process, double s);

}  // namespace fokker
