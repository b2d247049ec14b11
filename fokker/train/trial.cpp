#include "fokker/train/trial.h"

#include "fokker/core/check.h"

namespace fokker::detail {

TimeGrid log_snr_grid(const GaussianProcess& process, int64_t steps) {
  return process.time_min() < 1 ? TimeGrid::uniform_log_snr(process, steps) : TimeGrid::uniform(steps);
}

Tensor trial_row(const Model& model, const Rng& rng, const SampleOptions& options) {
  const Tensor row = sample(model, 1, rng, options).values;
  Tensor finite = row.isfinite();
  if (model.table)  // where cells may be missing, they are NaN
    for (int64_t j = 0; j < model.table->schema().size(); ++j)
      if (!model.table->schema().columns[static_cast<size_t>(j)].missing.empty())
        finite.select(1, j) |= row.select(1, j).isnan();
  check(finite.all().item<bool>(), "a network that predicts {} of this process gives no finite samples",
        model.spec.name());
  return row;
}

}  // namespace fokker::detail
