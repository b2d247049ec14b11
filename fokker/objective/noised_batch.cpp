#include "fokker/objective/noised_batch.h"

#include <limits>

namespace fokker {

Tensor drop_labels(const Tensor& label, double probability, DrawPosition position, const Rng& rng) {
  if (!label.defined() || probability <= 0) return label;
  const Tensor kept = (rng.uniform({label.size(0)}, position) >= probability).to(label.device());
  if (label.dim() == 2)
    return label.masked_fill(kept.logical_not().unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
  return at::where(kept, label, at::full_like(label, -1));
}

Tensor batch_noise(const Batch& batch, const Rng& rng) {
  const Tensor& x0 = batch.x0;
  return rng.stream("noise")
      .normal(x0.sizes(), batch.position(), x0.options().dtype(at::kFloat))
      .to(x0.options());
}

// The times of a batch are spread over all of it.
Tensor batch_times(const GaussianProcess& process, const Batch& batch, const TimeSampling& times,
                   const Rng& rng) {
  return batch.part_of(sample_times(process, times, batch.whole_size(), batch.step, rng.stream("time")))
      .contiguous();
}

Tensor batch_chain_steps(int64_t steps, const Batch& batch, const Rng& rng) {
  return batch.part_of(sample_chain_steps(steps, batch.whole_size(), batch.step, rng.stream("time")))
      .contiguous();
}

NoisedBatch noise_batch(const GaussianProcess& process, const Batch& batch, const TimeSampling& times,
                        double label_dropout, const Rng& rng) {
  return noise_batch_at(process, batch, Times(batch_times(process, batch, times, rng)), label_dropout, rng);
}

NoisedBatch noise_batch_at(const GaussianProcess& process, const Batch& batch, const Times& times,
                           double label_dropout, const Rng& rng) {
  const Tensor noise = batch_noise(batch, rng);
  return {process.perturb(batch.x0, noise, times), noise, times,
          drop_labels(batch.label, batch.dropout(label_dropout), batch.position(), rng.stream("label"))};
}

}  // namespace fokker
