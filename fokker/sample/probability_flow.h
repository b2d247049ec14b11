#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Euler's method in t on the probability-flow ODE dx/dt = f x - g^2/2 score = alpha' E[x_0] + sigma' E[eps].
class Euler final : public Sampler {
 public:
  std::string name() const override { return "euler"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 1, .weak = 1}; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

/// Heun's method (explicit trapezoid) in t on the same ODE. A step that ends where sigma = 0 is an Euler
/// step, since the flow's rate is not defined there (Karras et al. 2022, Algorithm 1).
class Heun final : public Sampler {
 public:
  std::string name() const override { return "heun"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

}  // namespace fokker
