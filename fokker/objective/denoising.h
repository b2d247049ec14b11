#pragma once
#include "fokker/objective/objective.h"
#include "fokker/objective/time_sampling.h"
#include "fokker/objective/weighting.h"

namespace fokker {

/// Denoising score matching across noise levels (Vincent 2011; the lecture on time reversal, Theorem 12.3 and
/// L(s); the lecture on denoising diffusion, step 5; the lecture on score matching, eq. 4.4):
///   w(t) || value_theta(x_t, t) - value(x_0, eps, t) ||^2 / d,  x_t = alpha x_0 + sigma eps.
/// The value is the denoiser's own prediction; the mean is over the d elements of an event.
class DenoisingObjective final : public Objective {
 public:
  struct Options {
    Weighting weighting = Weighting::uniform();
    TimeSampling times = {};
    /// Probability with which a label is dropped, so that the unconditional estimate is trained too.
    double label_dropout = 0.1;
  };

  explicit DenoisingObjective(Options options) : options_(std::move(options)) {}
  DenoisingObjective() : DenoisingObjective(Options()) {}

  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;
  /// The same loss at given times (n) and noise (n, event...).
  Tensor loss_at(const Denoiser& denoiser, const Batch& batch, const Tensor& times,
                 const Tensor& noise) const;

 private:
  Options options_;
};

}  // namespace fokker
