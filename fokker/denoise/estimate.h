#pragma once
#include "fokker/denoise/prediction.h"

namespace fokker {

/// What a denoiser says about one batch: its native prediction at (x, t), from which every other quantity
/// follows by one direct linear combination. Shapes are those of x, (n, ...).
class Estimate {
 public:
  Estimate(Tensor x, Tensor value, Prediction prediction, GaussianProcess process, Times t);

  /// E[x_0 | x_t].
  Tensor denoised() const;
  /// E[eps | x_t].
  Tensor noise() const;
  /// grad log p_t(x_t).
  Tensor score() const;
  /// Velocity per unit of the path's natural time (ScheduleModel::velocity).
  Tensor velocity() const;
  /// dx_t/dt along the probability-flow ODE: velocity_rate(t) velocity().
  Tensor flow_rate() const;

  const Tensor& x() const { return x_; }
  /// The native prediction, of prediction().
  Tensor value() const;
  const Times& times() const { return times_; }
  const Prediction& prediction() const { return prediction_; }

  /// The same point and prediction with another value.
  Estimate with_value(Tensor value) const {
    return Estimate(x_, std::move(value), prediction_, process_, times_);
  }
  /// The estimate of the law whose score is score() + gradient: by Tweedie's formula E[x_0] gains
  /// sigma^2/alpha times the gradient, E[eps] loses sigma times it, the velocity sigma/alpha times it. It is
  /// kept beside the value, so that each of these is exact to its own rounding also where sigma^2 times it is
  /// lost in the value's. Argument error where alpha = 0: a score there says nothing of x_0.
  Estimate with_score_added(const Tensor& gradient) const;
  /// The same estimate as another prediction.
  Estimate as(const Prediction& prediction) const;
  /// (1 - weight) this + weight other, both at one point; any weight. The result is of this one's prediction.
  Estimate towards(const Estimate& other, double weight) const;
  /// With a weight for each row, (n): 0 and 1 give this one and the other exactly.
  Estimate towards(const Estimate& other, const Tensor& weights) const;

 private:
  template <typename Weight>
  Estimate interpolated(const Estimate& other, const Weight& weight) const;
  template <typename ConversionAt>
  Tensor convert(ConversionAt conversion_at) const;
  /// quantity + coefficient(alpha, sigma) added_.
  template <typename Coefficient>
  Tensor with_added(Tensor quantity, Coefficient coefficient) const;

  Tensor x_, value_;
  Tensor added_;  ///< to the score; undefined where nothing was
  Prediction prediction_;
  GaussianProcess process_;
  Times times_;
};

}  // namespace fokker
