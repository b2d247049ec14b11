#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

/// The right-hand side of dx/dt = rate(x, t) for a batch: (n, ...) -> the same shape.
using OdeRate = std::function<Tensor(const Tensor& x, double t)>;

/// The largest over the rows of a batch of RMS(error / (atol + rtol max(|before|, |after|))): at most 1 where
/// every row is within its tolerance. NaN where a number left its range.
double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol);

/// Dormand and Prince's embedded pair 5(4) with a PI step size controller (Hairer, Norsett and Wanner,
/// Solving ODEs I, II.4 and II.5). A step is accepted where every row has a scaled error of at most 1
/// (worst_scaled_error), so one step size serves the batch and the worst row chooses it. An object is one
/// run: it moves x and remembers its step size and last rate.
class DormandPrince {
 public:
  struct Options {
    double rtol = 1e-5;
    double atol = 1e-5;
    int64_t most_steps = 100'000;  ///< tried in one call of `advance`, before it gives up
  };
  /// Argument errors on tolerances that make no sense.
  explicit DormandPrince(Options options);

  /// Carries x from time `begin` to `end`, in either direction, and returns it there. Consecutive calls must
  /// continue where the last one ended, with the same rate. An error of kind `failed` names the time where no
  /// step is small enough.
  Tensor advance(const OdeRate& rate, Tensor x, double begin, double end);

  int64_t evaluations() const { return evaluations_; }  ///< calls of the rate
  int64_t rejected() const { return rejected_; }        ///< steps tried and discarded

 private:
  struct Trial {
    Tensor x, rate;
    double error = 0;
  };
  Trial attempt(const OdeRate& rate, const Tensor& x, double t, double step);
  double first_step(const OdeRate& rate, const Tensor& x, double t, double length);
  double factor(double trial_error) const;

  Options options_;
  Tensor rate_;          ///< at the current x and t: the last stage of one step is the first of the next
  double step_ = 0;      ///< the size to try next, > 0
  double error_ = 1e-4;  ///< of the last accepted step
  int64_t evaluations_ = 0;
  int64_t rejected_ = 0;
};

}  // namespace fokker
