#pragma once
#include <functional>

#include "fokker/denoise/denoiser.h"

namespace fokker {

/// A denoiser of p_t(x_t) p_t(y | x_t), where `term` says grad log p_t(y | x_t) by derivatives of E[x_0 |
/// x_t]: as a ScoreGuidedDenoiser, but the network is called once a step, with its derivatives recorded, not
/// once for the estimate and again for the term.
class LikelihoodDenoiser final : public Denoiser {
 public:
  /// x is a leaf that requires gradients and `denoised` was computed from it; gradients are recorded.
  using Term = std::function<Tensor(const Tensor& x, const Tensor& denoised, double t)>;
  /// `inner` must outlive this.
  LikelihoodDenoiser(const Denoiser& inner, Term term) : inner_(inner), term_(std::move(term)) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return inner_.process(); }

 private:
  const Denoiser& inner_;
  Term term_;
};

}  // namespace fokker
