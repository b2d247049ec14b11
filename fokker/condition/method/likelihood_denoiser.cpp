#include "fokker/condition/method/likelihood_denoiser.h"

#include "fokker/core/boundary.h"

namespace fokker {

Estimate LikelihoodDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const GradientMode on(true);
  const Tensor leaf = x.detach().clone().requires_grad_();
  const Estimate prior = inner_.estimate(leaf, t, label);
  const Tensor gradient = term_(leaf, prior.denoised(), t.scalar()).detach();
  const GradientMode off(false);
  return Estimate(x.detach(), prior.value().detach(), prior.prediction(), process(), t)
      .with_score_added(gradient.to(x.scalar_type()));
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
