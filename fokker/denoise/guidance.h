#pragma once
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// Clamps the denoised estimate to [-limit, limit] (Ho et al. 2020 sample images so, limit 1). Holds `inner`
/// by reference: it must outlive this.
class ClippedDenoiser final : public Denoiser {
 public:
  ClippedDenoiser(const Denoiser& inner, double limit);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return inner_.process(); }
  std::unique_ptr<const Denoiser> frozen() const override;

 private:
  const Denoiser& inner_;
  std::shared_ptr<const Denoiser> owned_;  // inner_, where it is a frozen one
  double limit_;
};

/// Binds one class label; with weight != 1, classifier-free guidance (Ho and Salimans 2022, in the convention
/// where weight 1 is the plain conditional estimate): value = unconditional + weight (conditional -
/// unconditional).
class GuidedDenoiser final : public Denoiser {
 public:
  GuidedDenoiser(const Denoiser& inner, int64_t label, double weight = 1.0);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return inner_.process(); }
  std::unique_ptr<const Denoiser> frozen() const override;

 private:
  const Denoiser& inner_;
  std::shared_ptr<const Denoiser> owned_;  // inner_, where it is a frozen one
  int64_t label_;
  double weight_;
};

}  // namespace fokker
