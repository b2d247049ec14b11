#pragma once
#include "fokker/data/normalisation.h"
#include "fokker/denoise/denoiser.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// The exact denoiser of a Gaussian mixture (also of the empirical distribution of data): what a perfectly
/// trained network would say. Events of any shape are flattened to the mixture's dimension.
class AnalyticDenoiser final : public Denoiser {
 public:
  AnalyticDenoiser(GaussianMixture target, GaussianProcess process);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return process_; }
  const GaussianMixture& target() const { return target_; }
  /// The exact law of x_t.
  GaussianMixture marginal(double t) const { return target_.noised(process_.alpha(t), process_.sigma(t)); }

 private:
  GaussianMixture target_;
  GaussianProcess process_;
  Prediction prediction_;
};

/// A mixture in the user's units as a model sees it: through the normalisation, which is affine.
GaussianMixture in_model_space(const GaussianMixture& mixture, const Normalisation& normalisation);

}  // namespace fokker
