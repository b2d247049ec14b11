#pragma once
#include "fokker/objective/objective.h"
#include "fokker/objective/time_sampling.h"

namespace fokker {

/// A batch at random times: x = alpha(t) x_0 + sigma(t) noise.
struct NoisedBatch {
  Tensor x;      ///< (n, event...)
  Tensor noise;  ///< (n, event...)
  Times t;
  Tensor label;  ///< as the batch's, or undefined
};

/// Draws times, noise and which labels are dropped, each from its own stream at the batch's step.
NoisedBatch noise_batch(const GaussianProcess& process, const Batch& batch, const TimeSampling& times,
                        double label_dropout, const Rng& rng);

/// The same at given times.
NoisedBatch noise_batch_at(const GaussianProcess& process, const Batch& batch, const Times& times,
                           double label_dropout, const Rng& rng);

/// Standard normal noise of the shape and type of x0, from the stream "noise".
Tensor batch_noise(const Batch& batch, const Rng& rng);

/// A batch's times, (n) float64, from the stream "time".
Tensor batch_times(const GaussianProcess& process, const Batch& batch, const TimeSampling& times,
                   const Rng& rng);
/// Steps of a chain in their place, each uniform on 1..steps.
Tensor batch_chain_steps(int64_t steps, const Batch& batch, const Rng& rng);

/// Labels with each row set to the unconditional one, -1 of classes and NaN of conditions, with that
/// probability.
Tensor drop_labels(const Tensor& label, double probability, DrawPosition position, const Rng& rng);

}  // namespace fokker
