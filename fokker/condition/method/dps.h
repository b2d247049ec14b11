#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Diffusion posterior sampling (Chung et al. 2023, Algorithm 1): a step of the reverse chain, and from it
/// the gradient of the misfit of E[x_0 | x_t],
///   x_s <- x_s - step grad_{x_t} |y - A E[x_0 | x_t]|        (form = norm, as published: zeta_i = step/|r|)
///   x_s <- x_s - step grad_{x_t} |y - A E[x_0 | x_t]|^2      (form = squared).
/// Takes any measurement by its `residual`; the noise of y plays no part. Biased: the spread of x_0 given x_t
/// is neglected, and the step size is a matter of trial.
class Dps final : public PosteriorSampler {
 public:
  enum class Form { norm, squared };
  explicit Dps(double step = 1, Form form = Form::norm);
  std::string name() const override { return "dps"; }
  bool differentiates() const override { return true; }

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  double step_;
  Form form_;
};

}  // namespace fokker
