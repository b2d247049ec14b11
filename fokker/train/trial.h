#pragma once
#include "fokker/train/sample_model.h"

/// Sampling tried before a training is begun, so that its errors do not come after hours. Not for public
/// headers.
namespace fokker::detail {

/// Equal steps of the log-SNR; of t for a chain of one step, between whose first time and last there are
/// none.
TimeGrid log_snr_grid(const GaussianProcess& process, int64_t steps);

/// One row as `sample` draws it. Argument error where it is not finite.
Tensor trial_row(const Model& model, const Rng& rng, const SampleOptions& options);

}  // namespace fokker::detail
