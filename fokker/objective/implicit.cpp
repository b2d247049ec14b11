#include "fokker/objective/implicit.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// w(t) sigma^2 / d, (n).
Tensor level_weight(const GaussianProcess& process, const Weighting& weighting, const NoisedBatch& noised) {
  const ScheduleModel& schedule = process.schedule().model();
  const auto dimension = static_cast<double>(event_size(noised.x.sizes()));
  return noised.t
      .map(
          [&](double t) {
            const double sigma = schedule.sigma(t);
            return weighting(Prediction::noise(), schedule, t) * sigma * sigma / dimension;
          },
          noised.x)
      .reshape({-1});
}

ScoreFunction score_at(const Denoiser& denoiser, const NoisedBatch& noised) {
  return [&](const Tensor& x) { return denoiser.estimate(x, noised.t, noised.label).score(); };
}

}  // namespace

Tensor ImplicitObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const NoisedBatch noised =
      noise_batch(denoiser.process(), batch, options_.times, options_.label_dropout, rng);
  return implicit_score_matching(score_at(denoiser, noised), noised.x) *
         level_weight(denoiser.process(), options_.weighting, noised);
} catch (...) {
  detail::throw_as_error();
}

SlicedObjective::SlicedObjective(Options options) : options_(std::move(options)) {
  check(options_.projections > 0, "sliced score matching: expected projections > 0 but received {}",
        options_.projections);
}

Tensor SlicedObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const auto& matching = options_.matching;
  const NoisedBatch noised =
      noise_batch(denoiser.process(), batch, matching.times, matching.label_dropout, rng);
  const Tensor directions = random_directions(options_.directions, options_.projections, noised.x,
                                              batch.position(), rng.stream("directions"));
  return sliced_score_matching(score_at(denoiser, noised), noised.x, directions, options_.norm) *
         level_weight(denoiser.process(), matching.weighting, noised);
} catch (...) {
  detail::throw_as_error();
}

Tensor random_directions(SlicedObjective::Directions kind, int64_t count, const Tensor& x,
                         DrawPosition position, const Rng& rng) {
  std::vector<Tensor> all;
  for (int64_t i = 0; i < count; ++i) {
    const Tensor z = rng.stream(static_cast<uint64_t>(i))
                         .normal(x.sizes(), position, x.options().dtype(at::kFloat))
                         .to(x.options());
    all.push_back(kind == SlicedObjective::Directions::gaussian
                      ? z
                      : at::where(z < 0, -at::ones_like(z), at::ones_like(z)));
  }
  return at::stack(all);
}

}  // namespace fokker
