#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Euler's method in t on the probability-flow ODE dx/dt = f x - g^2/2 score = alpha' E[x_0] + sigma' E[eps].
class Euler final : public Sampler {
 public:
  std::string name() const override { return "euler"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 1, .weak = 1}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

/// Heun's method (explicit trapezoid) in t on the same ODE.
class Heun final : public Sampler {
 public:
  std::string name() const override { return "heun"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

/// The classical Runge-Kutta method of order 4 in t on the same ODE.
class RungeKutta4 final : public Sampler {
 public:
  std::string name() const override { return "rk4"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 4, .weak = 4}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

}  // namespace fokker
