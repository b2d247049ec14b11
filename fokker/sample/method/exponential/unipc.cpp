#include "fokker/sample/method/exponential/unipc.h"

#include "fokker/core/check.h"
#include "fokker/sample/step/log_snr_step.h"
#include "fokker/sample/step/past.h"
#include "fokker/sample/step/weights.h"

namespace fokker {
namespace {

/// What the corrector needs of the step before: where it began, and what its predictor knew.
struct Run {
  Past past;
  Tensor start;  ///< x at the beginning of the last step
  double t = 0;
  int64_t order = 0;  ///< of the last step's predictor; 0 where there is nothing to correct
};

/// Eq. 3 and 9 for one step of the given order from the estimates in `past`, newest first; with `end`, the
/// estimate at the step's end, the corrector.
Tensor unified_step(const LogSnrStep& step, const Tensor& x, const Past& past, int64_t order,
                    UniPc::Scale scale, const Tensor& end = {}) {
  Tensor next = step.constant(x, past[0].value);
  std::vector<double> places;
  std::vector<Tensor> differences;
  for (int64_t j = 1; j < order; ++j) {
    const PastValue& earlier = past[static_cast<size_t>(j)];
    places.push_back((earlier.place - step.from) / step.h);
    differences.push_back((earlier.value - past[0].value) / places.back());
  }
  if (end.defined()) {
    places.push_back(1);
    differences.push_back(end - past[0].value);
  }
  // B(h) a_j solve sum_j a_j r_j^(k-1) B(h) = k! h phi_{k+1}(-h); a single a is 1/2 as published.
  const double b = scale == UniPc::Scale::bh1 ? step.h : -std::expm1(-step.h);
  std::vector<double> moments;
  double factorial = 1;
  for (size_t k = 1; k <= places.size(); ++k) {
    factorial *= static_cast<double>(k);
    moments.push_back(factorial * step.h * phi(static_cast<int>(k) + 1, -step.h) / b);
  }
  const std::vector<double> weights =
      places.size() == 1 ? std::vector<double>{0.5} : interpolatory_weights(places, moments);
  for (size_t j = 0; j < places.size(); ++j) next.add_(differences[j], step.alpha * b * weights[j]);
  return next;
}

}  // namespace

UniPc::UniPc(Options options) : options_(options) {
  check(options.order >= 1 && options.order <= 3, "unipc: expected an order from 1 to 3 but received {}",
        options.order);
}

SamplerOrder UniPc::order() const {
  const auto p = static_cast<double>(options_.order);
  const double order = options_.corrector ? std::min(p + 1, 3.0) : std::min(p, 2.0);
  return {.deterministic = true, .strong = order, .weak = order};
}

StepResult UniPc::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  if (!context.history.has_value()) context.history = Run();
  auto& run = std::any_cast<Run&>(context.history);
  const GaussianProcess& process = denoiser.process();
  const LogSnrStep step(process, context.t, context.s);
  const Tensor denoised = denoiser.estimate(x, context.t).denoised();
  Tensor corrected = x;
  if (options_.corrector && run.order > 0)
    corrected = unified_step(LogSnrStep(process, run.t, context.t), run.start, run.past, run.order,
                             options_.scale, denoised);

  remember(run.past, {step.from, denoised}, static_cast<size_t>(options_.order));
  run.order = 0;
  if (!step.finite()) return {step.constant(corrected, denoised)};
  run.order = static_cast<int64_t>(usable(run.past, context, options_.lower_order_final));
  run.start = corrected;
  run.t = context.t;
  return {unified_step(step, corrected, run.past, run.order, options_.scale)};
}

}  // namespace fokker
