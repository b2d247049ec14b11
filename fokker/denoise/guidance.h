#pragma once
#include <concepts>
#include <limits>

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

/// Noise levels sigma/alpha at which guidance acts, both ends included (Kynkaanniemi et al. 2024, who measure
/// it in the sigma of a process with alpha = 1). By default all.
struct GuidanceInterval {
  double low = 0, high = std::numeric_limits<double>::infinity();
  /// sigma/alpha at t lies within; it is infinite where alpha = 0.
  bool contains(const GaussianProcess& process, double t) const;
  bool is_everything() const { return low <= 0 && high == std::numeric_limits<double>::infinity(); }
};

/// Conditions and classifier-free guidance (Ho and Salimans 2022, in the convention where weight 1 is the
/// plain conditional estimate): value = unconditional + weight (conditional - unconditional). The condition
/// is that of each call (IntegrateOptions::labels), or one that is bound here and takes its place. A call
/// without one is unconditional, whatever the weight; so is a row without one among others: class -1, or a
/// condition of NaN. At noise levels outside the interval the estimate is the conditional one, and the
/// unconditional one is not asked for.
class GuidedDenoiser final : public DenoiserDecorator {
 public:
  /// Guides whatever labels it is given.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, double weight, GuidanceInterval interval = {});
  /// Binds one class; weight 1 does no more than that.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, int64_t label, double weight,
                 GuidanceInterval interval = {});
  /// Binds one condition per row of every call, or one for all rows: (n) or (1) int64 classes, or (n, k) or
  /// (1, k) floating numbers.
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor labels, double weight,
                 GuidanceInterval interval = {});
  /// A whole number alone could be either.
  template <std::integral Number>
  GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Number) = delete;

  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;

 protected:
  std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const override;

 private:
  Tensor labels_of_call(const Tensor& x, const Tensor& label) const;

  Tensor labels_;  ///< of one row, of n, or undefined: those of the call
  double weight_;
  GuidanceInterval interval_;
};

/// Guidance by a worse model of the same data, smaller or less trained (Karras et al. 2024, "Guiding a
/// diffusion model with a bad version of itself"): value = guide + weight (main - guide), both told the
/// label of the call. Weight 1 is the main model alone, as are noise levels outside the interval; the guide
/// is not asked there. The two may predict different things.
class AutoguidedDenoiser final : public Denoiser {
 public:
  /// Argument error where one is missing, or alpha and sigma of the two processes differ at some time.
  AutoguidedDenoiser(std::shared_ptr<const Denoiser> main, std::shared_ptr<const Denoiser> guide,
                     double weight, GuidanceInterval interval = {});
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;
  const GaussianProcess& process() const override { return main_->process(); }
  /// Of both, where at least one has a faster form.
  std::shared_ptr<const Denoiser> frozen() const override;

 private:
  std::shared_ptr<const Denoiser> main_, guide_;
  double weight_;
  GuidanceInterval interval_;
};

/// A term that is added to the score, (n, event...), as the gradient of a log likelihood log p_t(y | x_t) is
/// (Dhariwal and Nichol 2021; Chung et al. 2023). `estimate` is what the inner denoiser says at (x, t). Where
/// it differentiates, it switches gradients on (GradientMode), as samplers switch them off.
using ScoreTerm = std::function<Tensor(const Tensor& x, const Times& t, const Estimate& estimate)>;

/// One number of each row of x_t: (n, event...) -> (n), made of operations that libtorch differentiates.
using ScalarField = std::function<Tensor(const Tensor& x, const Times& t)>;

/// The term -grad E(x_t, t), by automatic differentiation: the denoiser of p_t(x_t) exp(-E(x_t, t)). Samples
/// follow p(x) exp(-E(x)) exactly where E(x_t, t) = -log E[exp(-E(x_0)) | x_t]; any other way from the energy
/// of the data to that of x_t gives another law. Argument error where E gives not one number a row.
ScoreTerm energy_term(ScalarField energy);
/// The term scale grad log p_t(y | x_t) of a classifier of noised data (Dhariwal and Nichol 2021, Algorithm
/// 1): exact at scale 1, with the classifier exact.
ScoreTerm classifier_term(ScalarField log_probability, double scale = 1.0);

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
