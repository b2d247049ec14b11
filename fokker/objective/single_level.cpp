#include "fokker/objective/single_level.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/objective/noised_batch.h"

namespace fokker {
namespace {

NoisedBatch noise_at(const Denoiser& denoiser, const Batch& batch, double t, const Rng& rng) {
  check(t >= 0 && t <= 1 && denoiser.process().sigma(t) > 0,
        "noise level: expected a time in [0, 1] with sigma > 0 but received {}", t);
  return noise_batch_at(denoiser.process(), batch, t, 0.0, rng);
}

}  // namespace

Tensor DenoisingScoreMatching::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const NoisedBatch noised = noise_at(denoiser, batch, t_, rng);
  const Tensor score = denoiser.estimate(noised.x, noised.t, noised.label).score();
  return sum_events((score + noised.noise / denoiser.process().sigma(t_)).square());
} catch (...) {
  detail::throw_as_error();
}

Tensor DenoisingAutoencoder::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const NoisedBatch noised = noise_at(denoiser, batch, t_, rng);
  return sum_events((denoiser.estimate(noised.x, noised.t, noised.label).denoised() - batch.x0).square());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
