#include "fokker/sample/sampler.h"

#include "fokker/core/boundary.h"

namespace fokker {

StepResult Sampler::step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const try {
  return do_step(denoiser, x, context);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
