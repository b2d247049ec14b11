#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

/// The right-hand side of dx/dt = rate(x, t) for a batch: (n, ...) -> the same shape.
using OdeRate = std::function<Tensor(const Tensor& x, double t)>;

/// RMS(error / (atol + rtol max(|before|, |after|))) of each row of a batch, (n) float64: at most 1 where the
/// row is within its tolerance. Not finite where a number left its range.
Tensor scaled_errors(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                     double rtol);
/// The largest of them.
double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol);

/// Dormand and Prince's embedded pair 5(4) with a PI step size controller (Hairer, Norsett and Wanner,
/// Solving ODEs I, II.4 and II.5). A step is accepted where every row has a scaled error of at most 1
/// (worst_scaled_error), so one step size serves the batch and the worst row chooses it. An object is one
/// run: it moves x and remembers its step size and last rate. Heeds a StopRequest between steps.
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
  /// continue where the last one ended, with the same rate. A RowError names the row and the time where its
  /// rate is not finite, or no step is small enough.
  Tensor advance(const OdeRate& rate, Tensor x, double begin, double end);

  int64_t evaluations() const { return evaluations_; }  ///< calls of the rate
  int64_t rejected() const { return rejected_; }        ///< steps tried and discarded

 private:
  friend struct RowGroups;
  struct Trial {
    Tensor x, rate;
    Tensor errors;     ///< of each row
    double error = 0;  ///< the largest
  };
  void start(const OdeRate& rate, const Tensor& x, double t, double end);
  bool move(const OdeRate& rate, Tensor& x, double& t, double end);
  void refuse(const Trial& trial, double t);
  Trial attempt(const OdeRate& rate, const Tensor& x, double t, double step);
  double first_step(const OdeRate& rate, const Tensor& x, double t, double length);
  double factor(double trial_error) const;

  Options options_;
  Tensor rate_;          ///< at the current x and t: the last stage of one step is the first of the next
  double step_ = 0;      ///< the size to try next, > 0
  double error_ = 1e-4;  ///< of the last accepted step
  int64_t evaluations_ = 0;
  int64_t rejected_ = 0;
  int64_t tries_ = 0;       ///< in this call of `advance`
  int64_t not_finite_ = 0;  ///< trials in a row whose error was not finite
  Tensor demand_;           ///< (n): how many steps of its own each row would have taken for those tried
};

/// The rate at some rows of a batch: `rows` (m) int64 says which of it are in x.
using RowRate = std::function<Tensor(const Tensor& x, double t, const Tensor& rows)>;

struct OdeRun {
  Tensor x;
  int64_t evaluations = 0;  ///< calls of the rate for a row, the most of any
  int64_t rejected = 0;
};

/// Carries the rows of x from `begin` to `end` as DormandPrince does, but lets rows that want much smaller
/// steps than most go on by themselves, so that a few neither slow nor spoil the others. The most steps of
/// the options are each group's. A RowError names the row that cannot be carried.
OdeRun advance_rows(const RowRate& rate, const Tensor& x, double begin, double end,
                    DormandPrince::Options options);

}  // namespace fokker
