#pragma once
#include "fokker/sample/step/ratio_multistep.h"

namespace fokker {

/// Linear multistep (Adams-Bashforth with exact variable-step weights) on dy/dr = E[eps], y = x/alpha,
/// r = sigma/alpha: k-diffusion's LMS, whose variable is sigma. Order 1 is DDIM. The step to sigma = 0 is a
/// step like any other, since r = 0 is an ordinary point. `deis` shares all but the variable and its
/// integrals (RatioMultistep).
class LinearMultistep final : public RatioMultistep {
 public:
  struct Options {
    int64_t order = 4;  ///< 1 to 4
    Start start = Start::lower_order;
  };
  explicit LinearMultistep(Options options) : RatioMultistep("lms", options.order, 4, options.start) {}
  LinearMultistep() : LinearMultistep(Options()) {}
  std::string name() const override { return "lms"; }

 protected:
  double place(const GaussianProcess& process, double t) const override;
  std::vector<double> weights(const GaussianProcess& process, const RatioStep& step, const Past& past,
                              const StepContext& context) const override;
};

}  // namespace fokker
