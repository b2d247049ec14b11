#pragma once
#include <functional>
#include <memory>

#include "fokker/denoise/estimate.h"

namespace fokker {

/// Anything that knows something about x_0 given x_t. Samplers, objectives and evaluations see only this.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  /// x: (n, event...); label: (n) int64, or undefined for the unconditional estimate.
  virtual Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const = 0;
  virtual const GaussianProcess& process() const = 0;
  /// The same estimates from weights as they are now, laid out for many calls that record no gradients; null
  /// where there is no faster form. Refers to this denoiser, which must outlive it. Several threads may ask
  /// it at once.
  virtual std::unique_ptr<const Denoiser> frozen() const { return nullptr; }
};

/// A denoiser from a function (x, t) -> value of the given prediction.
class FunctionDenoiser final : public Denoiser {
 public:
  using Function = std::function<Tensor(const Tensor& x, const Times& t)>;
  FunctionDenoiser(Function function, GaussianProcess process, Prediction prediction)
      : function_(std::move(function)), process_(std::move(process)), prediction_(prediction) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& = {}) const override {
    return Estimate(x, function_(x, t), prediction_, process_, t);
  }
  const GaussianProcess& process() const override { return process_; }

 private:
  Function function_;
  GaussianProcess process_;
  Prediction prediction_;
};

}  // namespace fokker
