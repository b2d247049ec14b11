#include "fokker/sample/step/ddim_step.h"

#include "fokker/core/boundary.h"

namespace fokker {

Tensor ddim_step(const Estimate& estimate, const GaussianProcess& process, double s) try {
  const double sigma = process.sigma(s);
  const Tensor data = estimate.denoised() * process.alpha(s);
  return sigma > 0 ? at::add(data, estimate.noise(), sigma) : data;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
