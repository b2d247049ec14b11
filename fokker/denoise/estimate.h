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
  const Tensor& value() const { return value_; }
  const Times& times() const { return times_; }
  const Prediction& prediction() const { return prediction_; }
  /// The same point and prediction with another value (guidance combines values).
  Estimate with_value(Tensor value) const {
    return Estimate(x_, std::move(value), prediction_, process_, times_);
  }

 private:
  template <typename ConversionAt>
  Tensor convert(ConversionAt conversion_at) const;
  Tensor x_, value_;
  Prediction prediction_;
  GaussianProcess process_;
  Times times_;
};

}  // namespace fokker
