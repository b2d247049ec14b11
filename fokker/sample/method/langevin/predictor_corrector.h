#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Predictor-corrector sampling (Song et al. 2021, Algorithms 1 to 5): any sampler takes the step from t to
/// s, then Langevin steps x + h score + sqrt(2 h) z at s move the law towards the marginal p_s. Their step
/// size is either
///   h = a (r |z| / |score|)^2, norms averaged over the block, a = 2 (alpha_t/alpha_s)^2,
/// from a signal-to-noise ratio r as published, or a fixed multiple of sigma_s^2, as in annealed Langevin. At
/// sigma_s = 0 nothing is corrected.
///
/// Its order is 0: each corrector's bias is O(h), which refining the grid does not reduce.
class PredictorCorrector final : public Sampler {
 public:
  struct Options {
    int64_t inner = 1;              ///< Langevin steps at each level, up to 2048
    double signal_to_noise = 0.16;  ///< r
    double relative_step = 0;       ///< h / sigma_s^2; takes the place of r where > 0
  };
  PredictorCorrector(std::shared_ptr<const Sampler> predictor, Options options);
  explicit PredictorCorrector(std::shared_ptr<const Sampler> predictor)
      : PredictorCorrector(std::move(predictor), Options()) {}
  std::string name() const override { return "predictor-corrector"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 0, .weak = 0}; }
  bool needs_sde() const override { return predictor_->needs_sde(); }
  int64_t least_steps() const override { return predictor_->least_steps(); }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  double corrector_step(const GaussianProcess& process, const StepContext& context, const Tensor& score,
                        const Tensor& noise) const;
  std::shared_ptr<const Sampler> predictor_;
  Options options_;
};

}  // namespace fokker
