#pragma once
#include <concepts>

#include "fokker/denoise/denoiser.h"

namespace fokker {

/// Clamps the denoised estimate to [-limit, limit] (Ho et al. 2020 sample images so, limit 1).
class ClippedDenoiser final : public DenoiserDecorator {
 public:
  ClippedDenoiser(std::shared_ptr<const Denoiser> inner, double limit);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;

 protected:
  std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const override;

 private:
  double limit_;
};

/// Class labels and classifier-free guidance (Ho and Salimans 2022, in the convention where weight 1 is the
/// plain conditional estimate): value = unconditional + weight (conditional - unconditional). The label is
/// that of each call (IntegrateOptions::labels), or one that is bound here and takes its place. A call
/// without a label is unconditional, whatever the weight.
class GuidedDenoiser final : public DenoiserDecorator {
 public:
  /// Guides whatever labels it is given.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, double weight);
  /// Binds one class; weight 1 does no more than that.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, int64_t label, double weight);
  /// Binds one class per row of every call, (n) int64.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor labels, double weight);
  /// A whole number alone could be either.
  template <std::integral Number>
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Number) = delete;

  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;

 protected:
  std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const override;

 private:
  Tensor labels_;  ///< (1), (n), or undefined: those of the call
  double weight_;
};

/// A term that is added to the score, (n, event...), as the gradient of a log likelihood log p_t(y | x_t) is
/// (Dhariwal and Nichol 2021; Chung et al. 2023). `estimate` is what the inner denoiser says at (x, t). Where
/// it differentiates, it switches gradients on (GradientMode), as samplers switch them off.
using ScoreTerm = std::function<Tensor(const Tensor& x, const Times& t, const Estimate& estimate)>;

/// Adds the term to the score: the denoiser of p_t(x_t) p_t(y | x_t), exactly so where the term is exact.
/// Errors are those of Estimate::with_score_added.
class ScoreGuidedDenoiser final : public DenoiserDecorator {
 public:
  ScoreGuidedDenoiser(std::shared_ptr<const Denoiser> inner, ScoreTerm term);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;

 protected:
  std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const override;

 private:
  ScoreTerm term_;
};

}  // namespace fokker
