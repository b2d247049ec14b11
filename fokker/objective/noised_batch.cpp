#include "fokker/objective/noised_batch.h"

#include <limits>

namespace fokker {

Tensor drop_labels(const Tensor& label, double probability, uint64_t step, const Rng& rng) {
  if (!label.defined() || probability <= 0) return label;
  const Tensor kept = (rng.uniform({label.size(0)}, {.step = step}) >= probability).to(label.device());
  if (label.dim() == 2)
    return label.masked_fill(kept.logical_not().unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
  return at::where(kept, label, at::full_like(label, -1));
}

Tensor batch_noise(const Batch& batch, const Rng& rng) {
  const Tensor& x0 = batch.x0;
  return rng.stream("noise")
      .normal(x0.sizes(), {.step = batch.step}, x0.options().dtype(at::kFloat))
      .to(x0.options());
}

NoisedBatch noise_batch(const GaussianProcess& process, const Batch& batch, const TimeSampling& times,
                        double label_dropout, const Rng& rng) {
  const Tensor t = sample_times(process, times, batch.x0.size(0), batch.step, rng.stream("time"));
  return noise_batch_at(process, batch, Times(t), label_dropout, rng);
}

NoisedBatch noise_batch_at(const GaussianProcess& process, const Batch& batch, const Times& times,
                           double label_dropout, const Rng& rng) {
  const Tensor noise = batch_noise(batch, rng);
  return {process.perturb(batch.x0, noise, times), noise, times,
          drop_labels(batch.label, label_dropout, batch.step, rng.stream("label"))};
}

}  // namespace fokker
