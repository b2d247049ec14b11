#pragma once
#include <functional>
#include <memory>

#include "fokker/denoise/estimate.h"

namespace fokker {

/// Anything that knows something about x_0 given x_t. Samplers, objectives and evaluations see only this.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  /// x: (n, event...); label: what is known of each row, as a network takes it (Forward): (n) int64 classes,
  /// (n, k) conditions, or undefined for the unconditional estimate.
  virtual Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const = 0;
  virtual const GaussianProcess& process() const = 0;
  /// The same estimates from weights as they are now, laid out for many calls that record no gradients; null
  /// where there is no faster form. It owns all that it needs, and several threads may ask it at once.
  virtual std::shared_ptr<const Denoiser> frozen() const { return nullptr; }
};

/// A denoiser that changes what another says, and owns it. A subclass says `estimate` and how it is made over
/// another inner denoiser, by which its frozen form is that over the inner one's.
class DenoiserDecorator : public Denoiser {
 public:
  /// Argument error for none.
  explicit DenoiserDecorator(std::shared_ptr<const Denoiser> inner);
  const GaussianProcess& process() const final { return inner_->process(); }
  std::shared_ptr<const Denoiser> frozen() const final;

 protected:
  const Denoiser& inner() const { return *inner_; }
  /// The same decorator over another denoiser of the same process.
  virtual std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const = 0;

 private:
  std::shared_ptr<const Denoiser> inner_;
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
