#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// DDNM and DDNM+ (Wang, Yu and Zhang 2023, eqs. 13 and 17 to 19): the part of E[x_0 | x_t] that A sees is
/// replaced by y's,
///   x_0' = x_0 + A^+ L (y - A x_0),  x_s = state x_t + data x_0' + noise,
/// where L = 1 without noise in y. With noise S, along a singular vector of value s of A the correction
/// brings noise of deviation data l S/s, which the step's own must not be exceeded by: l = min(1,
/// sqrt(variance) s / (data S)), and the step draws what is missing of its variance. No derivatives of the
/// denoiser.
class Ddnm final : public PosteriorSampler {
 public:
  std::string name() const override { return "ddnm"; }
  void check_measurement(const Measurement& measurement) const override;

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
};

}  // namespace fokker
