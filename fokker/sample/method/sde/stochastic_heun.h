#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Heun's method on the reverse SDE, whose noise is additive: with b the reverse drift and the same noise n
/// in predictor and corrector,
///   x' = x + h b(x, t) + n,  x_s = x + h/2 (b(x, t) + b(x', s)) + n,  n ~ N(0, h (g_t^2 + g_s^2)/2 I)
/// (Kloeden and Platen 1992, section 15.1: weak order 2 for additive noise).
class StochasticHeun final : public Sampler {
 public:
  std::string name() const override { return "stochastic-heun"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 1, .weak = 2}; }
  bool needs_sde() const override { return true; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
};

}  // namespace fokker
