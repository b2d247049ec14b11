#pragma once
#include "fokker/sample/step/past.h"

namespace fokker {

/// Linear multistep (Adams-Bashforth with exact variable-step weights) on dy/dr = E[eps], y = x/alpha,
/// r = sigma/alpha: k-diffusion's LMS, whose variable is sigma. Order 1 is DDIM. The step to sigma = 0 is a
/// step like any other, since r = 0 is an ordinary point.
class LinearMultistep final : public Sampler {
 public:
  struct Options {
    int64_t order = 4;  ///< 1 to 4
    Start start = Start::lower_order;
  };
  explicit LinearMultistep(Options options);
  LinearMultistep() : LinearMultistep(Options()) {}
  std::string name() const override { return "lms"; }
  SamplerOrder order() const override;
  int64_t least_steps() const override { return options_.order; }
  StepResult step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;

 private:
  Options options_;
};

}  // namespace fokker
