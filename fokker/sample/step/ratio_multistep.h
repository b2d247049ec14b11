#pragma once
#include "fokker/sample/step/past.h"
#include "fokker/sample/step/ratio_step.h"

namespace fokker {

/// What methods have in common that replace E[eps] over a step, in r = sigma/alpha, by a polynomial through
/// its last values: their past, their first steps, and where alpha = 0 a step of DDIM. A subclass says in
/// which variable the values lie and with which weights they are combined.
class RatioMultistep : public Sampler {
 public:
  SamplerOrder order() const final { return multistep_order(order_, start_); }
  int64_t least_steps() const final { return order_; }

 protected:
  /// Argument error, which begins with the name, unless the order is from 1 to `highest`.
  RatioMultistep(const char* name, int64_t order, int64_t highest, Start start);
  /// Where the value at time t lies, in the method's variable.
  virtual double place(const GaussianProcess& process, double t) const = 0;
  /// Of the values in `past`, newest first, or of fewer of them.
  virtual std::vector<double> weights(const GaussianProcess& process, const RatioStep& step, const Past& past,
                                      const StepContext& context) const = 0;

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const final;
  int64_t order_;
  Start start_;
};

}  // namespace fokker
