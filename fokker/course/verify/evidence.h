#pragma once
#include <string>
#include <vector>

#include "fokker/course/verify/statistic.h"

namespace fokker::verify {

enum class Relation { equal, at_most, at_least };

/// One comparison of a measurement with theory.
struct Finding {
  std::string what;  ///< the quantity, with its unit or place: "variance at t = 0.3"
  Relation relation = Relation::equal;
  double expected = 0;  ///< the closed form, or the bound
  double measured = 0;
  double standard_error = 0;  ///< Monte Carlo error of `measured`; 0 where nothing is random
  double allowance = 0;       ///< bound on what is not random: step size, quadrature, rounding
  bool kolmogorov = false;    ///< `measured` is Kolmogorov's statistic, expected to be that of one law: 0
  double tolerance = 0;       ///< allowance + normal quantile * standard_error, or Kolmogorov's quantile
  bool passed = false;
  int64_t comparisons = 1;  ///< how many the check made; this is the worst of them
};

/// The same finding with what is expected moved by so much, and the verdict on that. An equality whose
/// measured value lies inside its tolerance fails when it is moved by twice the tolerance, either way; one
/// that lies at the very end of it, when it is moved away.
Finding moved(Finding finding, double by);

/// Collects the comparisons of one check. The tolerance is chosen so that a right implementation fails a
/// whole check about once in ten thousand runs: each of N comparisons gets the quantile of 1 - 1e-4 / N,
/// two-sided of a normal law (Bonferroni).
class Evidence {
 public:
  /// `measured` equals `expected` up to its own Monte Carlo error and `allowance`.
  void equal(std::string what, Statistic measured, double expected, double allowance = 0);
  /// Values and a law, or two lots of values, have one distribution function: Kolmogorov's statistic is
  /// `measured`, sqrt(n) times the largest difference, with `allowance` in the same units.
  void same_law(std::string what, double measured, double allowance = 0);
  /// A claim of more or less, which has no expected value: `measured` does not exceed `bound`.
  void at_most(std::string what, Statistic measured, double bound, double allowance = 0);
  void at_least(std::string what, Statistic measured, double bound, double allowance = 0);

  /// Every comparison with its tolerance and verdict. An argument error where none was made.
  std::vector<Finding> findings() const;
  /// The one that is farthest from passing, in units of its tolerance.
  Finding worst() const;

 private:
  std::vector<Finding> findings_;
};

}  // namespace fokker::verify
