#include "fokker/objective/denoising.h"

#include "fokker/core/boundary.h"
#include "fokker/objective/noised_batch.h"

namespace fokker {
Tensor DenoisingObjective::loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const try {
  const Tensor times = batch_times(denoiser.process(), batch, options_.times, rng);
  const Tensor noise = batch_noise(batch, rng);
  Batch dropped = batch;
  dropped.label =
      drop_labels(batch.label, batch.dropout(options_.label_dropout), batch.position(), rng.stream("label"));
  return loss_at(denoiser, dropped, times, noise);
} catch (...) {
  detail::throw_as_error();
}

Tensor DenoisingObjective::loss_at(const Denoiser& denoiser, const Batch& batch, const Tensor& times,
                                   const Tensor& noise) const {
  const Times t(times);
  const GaussianProcess& process = denoiser.process();
  const Estimate estimate = denoiser.estimate(process.perturb(batch.x0, noise, t), t, batch.label);
  const Prediction& prediction = estimate.prediction();
  const ScheduleModel& schedule = process.schedule().model();
  const Tensor data_part = t.map([&](double u) { return prediction.target(schedule, u).data; }, batch.x0);
  const Tensor noise_part = t.map([&](double u) { return prediction.target(schedule, u).noise; }, batch.x0);
  const Tensor target = at::addcmul(data_part * batch.x0, noise_part, noise);
  const Tensor weight =
      t.map([&](double u) { return options_.weighting(prediction, schedule, u); }, batch.x0);
  const double scale = 1.0 / static_cast<double>(event_size(batch.x0.sizes()));
  return sum_events((estimate.value() - target).square()) * weight.reshape({-1}) * scale;
}

}  // namespace fokker
