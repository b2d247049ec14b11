#include "fokker/sample/method/ode/dopri5.h"

namespace fokker {

// Tolerances that make no sense are refused here, and not in the middle of a run.
Dopri5::Dopri5(Options options) : options_(options) {
  DormandPrince{options};
}

StepResult Dopri5::do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  const GaussianProcess& process = denoiser.process();
  const bool clean = process.sigma(context.s) == 0;
  const double end = clean ? std::min(process.time_min(), context.t) : context.s;
  if (!context.history.has_value()) context.history = DormandPrince(options_);
  auto& run = std::any_cast<DormandPrince&>(context.history);
  const int64_t evaluations = run.evaluations(), rejected = run.rejected();
  StepResult result{x, 0};
  result.x =
      run.advance([&](const Tensor& state, double t) { return denoiser.estimate(state, t).flow_rate(); }, x,
                  context.t, end);
  if (clean) result.x = denoiser.estimate(result.x, end).denoised();
  result.evaluations = run.evaluations() - evaluations + (clean ? 1 : 0);
  result.rejected = run.rejected() - rejected;
  return result;
}

}  // namespace fokker
