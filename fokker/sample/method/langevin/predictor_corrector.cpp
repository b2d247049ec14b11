#include "fokker/sample/method/langevin/predictor_corrector.h"

#include "fokker/core/check.h"
#include "fokker/sample/chain/langevin.h"

namespace fokker {
namespace {

/// Draws of noise below this number are the predictor's, the rest the corrector's.
constexpr uint32_t first_of_corrector = 2048;

double mean_norm(const Tensor& x) {
  return sum_events(x.square()).sqrt().mean().item<double>();
}

}  // namespace

PredictorCorrector::PredictorCorrector(std::shared_ptr<const Sampler> predictor, Options options)
    : predictor_(std::move(predictor)), options_(options) {
  check(predictor_ != nullptr, "predictor-corrector: expected a predictor but received none");
  check(!predictor_->adaptive(),
        "predictor-corrector: expected a predictor that takes one step from level to level but received {}, "
        "which "
        "chooses its own",
        predictor_->name());
  check(options.inner > 0 && options.inner <= 2048,
        "predictor-corrector: expected 1 to 2048 inner steps but received {}", options.inner);
  check(options.signal_to_noise > 0,
        "predictor-corrector: expected a signal-to-noise ratio > 0 but received {}", options.signal_to_noise);
  check(options.relative_step >= 0 && options.relative_step < 2,
        "predictor-corrector: expected 0 < h / sigma^2 < 2, where the chain is stable, but received {}",
        options.relative_step);
}

double PredictorCorrector::corrector_step(const GaussianProcess& process, const StepContext& context,
                                          const Tensor& score, const Tensor& noise) const {
  if (options_.relative_step > 0) return options_.relative_step * std::pow(process.sigma(context.s), 2);
  const double kept = std::pow(process.transition(context.s, context.t).scale, 2);  // 1 - beta_i of a chain
  return 2 * kept * std::pow(options_.signal_to_noise * mean_norm(noise) / mean_norm(score), 2);
}

StepResult PredictorCorrector::do_step(const Denoiser& denoiser, const Tensor& x,
                                       StepContext& context) const {
  const auto draw = context.noise;
  StepContext inner = context;
  inner.noise = [&](uint32_t number) {
    check(number < first_of_corrector, "predictor-corrector: the predictor {} drew noise more than {} times",
          predictor_->name(), first_of_corrector);
    return draw(number);
  };
  StepResult result = predictor_->step(denoiser, x, inner);
  const GaussianProcess& process = denoiser.process();
  if (process.sigma(context.s) == 0) return result;
  for (int64_t k = 0; k < options_.inner; ++k) {
    const Tensor score = denoiser.estimate(result.x, context.s).score();
    const Tensor noise = draw(first_of_corrector + static_cast<uint32_t>(k));
    result.x = langevin_step(result.x, score, corrector_step(process, context, score, noise), noise);
    ++result.evaluations;
  }
  return result;
}

}  // namespace fokker
