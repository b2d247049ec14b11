#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// The reverse chain x_s ~ N(mu(x_t, E[x_0|x_t]), v I) (Ho et al. 2020, Algorithm 2; the lecture on denoising
/// diffusion, "Sampling from the model") on any grid. The step to s = 0 adds no noise.
class Ancestral final : public Sampler {
 public:
  enum class Variance {
    posterior,   ///< beta-tilde, the variance of q(x_s | x_t, x_0)
    transition,  ///< beta_t, the variance of q(x_t | x_s), as in the lecture on denoising diffusion
  };
  explicit Ancestral(Variance variance = Variance::posterior) : variance_(variance) {}
  std::string name() const override { return "ancestral"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 1, .weak = 1}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Variance variance_;
};

}  // namespace fokker
