#include "fokker/condition/particles.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

Tensor normalised_log_weights(const Tensor& log_weights) try {
  check(log_weights.dim() == 2 && log_weights.size(1) > 0,
        "particles: expected weights of shape (rows, particles) but received {}", shape_string(log_weights));
  const Tensor wide = log_weights.to(at::kDouble);
  const Tensor total = wide.logsumexp(1, true);
  const Tensor bad = total.isfinite().logical_not().squeeze(1);
  if (bad.any().item<bool>())
    throw RowError(ErrorKind::failed, bad.nonzero()[0].item<int64_t>(),
                   "no particle has a finite weight; take more particles or steps");
  return wide - total;
} catch (...) {
  detail::throw_as_error();
}

Tensor effective_samples(const Tensor& log_weights) try {
  return (log_weights * 2).logsumexp(1).neg().exp();
} catch (...) {
  detail::throw_as_error();
}

Tensor systematic_resampling(const Tensor& log_weights, const Tensor& uniforms, int64_t count) try {
  check(count > 0, "particles: expected count > 0 but received {}", count);
  check(uniforms.dim() == 1 && uniforms.size(0) == log_weights.size(0),
        "particles: expected one uniform number a row");
  const Tensor sums = log_weights.to(at::kCPU, at::kDouble).exp().cumsum(1);
  const Tensor points = (at::arange(count, at::kDouble) + uniforms.to(at::kCPU, at::kDouble).unsqueeze(1)) /
                        static_cast<double>(count) * sums.slice(1, -1);
  return at::searchsorted(sums.contiguous(), points.contiguous(), false, true).clamp_max_(sums.size(1) - 1);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
