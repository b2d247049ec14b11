#include "fokker/objective/explicit.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

Tensor ExplicitObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const GaussianProcess& process = denoiser.process();
  const int64_t dimension = event_size(batch.x0.sizes());
  check(dimension == target_.dimension(),
        "explicit score matching: expected rows of {} numbers but received {}", target_.dimension(),
        dimension);
  const NoisedBatch noised = noise_batch(process, batch, options_.times, options_.label_dropout, rng);
  const auto map = [&](auto function) {
    return noised.t.map(function, noised.x.to(at::kDouble)).reshape({-1});
  };
  const auto posterior =
      target_.posterior(noised.x.flatten(1), map([&](double t) { return process.alpha(t); }),
                        map([&](double t) { return process.sigma(t); }));
  const ScheduleModel& schedule = process.schedule().model();
  const Tensor weight = noised.t.map(
      [&](double t) {
        return options_.weighting(Prediction::noise(), schedule, t) / static_cast<double>(dimension);
      },
      noised.x);
  // sigma (s_theta - s) = E[eps | x] - eps_theta.
  const Tensor noise = denoiser.estimate(noised.x, noised.t, noised.label).noise();
  return sum_events((noise - posterior.noise.reshape(noise.sizes())).square()) * weight.reshape({-1});
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
