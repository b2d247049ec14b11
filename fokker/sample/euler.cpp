#include "fokker/sample/probability_flow.h"

namespace fokker {

StepResult Euler::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const {
  return {at::add(x, denoiser.estimate(x, context.t).flow_rate(), context.s - context.t)};
}

}  // namespace fokker
