#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// UniPC (Zhao et al. 2023, Algorithms 1 and 2, data prediction): the predictor UniP-p, and the corrector
/// UniC-p that redoes the last step with the estimate at its end, at no extra evaluation. With the corrector
/// the order is p + 1, without it p; the first steps, of lower order as published, limit it to 3 and 2.
/// UniP-1 is DDIM. The state shown after a step is the predicted one.
///
/// With `deis` and `lms` it shares the past and the weights (step/past.h, step/weights.h), and no step:
/// theirs is in sigma/alpha on E[eps], and has no corrector, which needs the state before the last step.
class UniPc final : public Sampler {
 public:
  /// B(h): h, or e^h - 1 (the paper's B_1 and B_2), which weighs the steps with a single unknown.
  enum class Scale { bh1, bh2 };
  struct Options {
    int64_t order = 2;  ///< p: 1 to 3
    Scale scale = Scale::bh2;
    bool corrector = true;
    bool lower_order_final = false;  ///< let the order fall to 1 in the last steps
  };
  explicit UniPc(Options options);
  UniPc() : UniPc(Options()) {}
  std::string name() const override { return "unipc"; }
  SamplerOrder order() const override;
  int64_t least_steps() const override { return options_.order; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
