#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Pseudo numerical methods (Liu et al. 2022, PNDM): DDIM's step with the noise estimate combined from four,
/// by the weights of a Runge-Kutta method in the first three steps (four evaluations each) and by those of
/// Adams-Bashforth after. Without warm-up (PLMS) the first step averages two evaluations and the next use
/// fewer past values. The weights are those of equal steps in t, so use a grid that is uniform in t; order 2
/// (their Property 3.2), because t is not the variable of DDIM's step.
class Pndm final : public Sampler {
 public:
  struct Options {
    bool warm_up = true;
  };
  explicit Pndm(Options options) : options_(options) {}
  Pndm() : Pndm(Options()) {}
  std::string name() const override { return "pndm"; }
  SamplerOrder order() const override { return {.deterministic = true, .strong = 2, .weak = 2}; }
  int64_t least_steps() const override { return 4; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
