#pragma once
#include <vector>

#include "fokker/denoise/analytic.h"

namespace fokker {

/// The exact denoiser of labelled data: that of a row's class where it has a label, and of the whole without
/// one or for label -1.
class LabelledMixture final : public Denoiser {
 public:
  LabelledMixture(GaussianMixture whole, const std::vector<GaussianMixture>& classes,
                  const GaussianProcess& process);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return whole_.process(); }

 private:
  AnalyticDenoiser whole_;
  std::vector<AnalyticDenoiser> classes_;
};

}  // namespace fokker
