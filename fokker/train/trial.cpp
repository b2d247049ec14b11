#include "fokker/train/trial.h"

#include "fokker/core/check.h"

namespace fokker::detail {

TimeGrid log_snr_grid(const GaussianProcess& process, int64_t steps) {
  return process.time_min() < 1 ? TimeGrid::uniform_log_snr(process, steps) : TimeGrid::uniform(steps);
}

Tensor trial_row(const Model& model, const Rng& rng, const SampleOptions& options) {
  const Tensor row = sample(model, 1, rng, options).values;
  check(row.isfinite().all().item<bool>(),
        "a network that predicts {} of this process gives no finite samples", model.spec.name());
  return row;
}

}  // namespace fokker::detail
