#pragma once
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/core/text/json.h"
#include "fokker/table/schema.h"

namespace fokker {

/// A rising map of a column's values to normal scores, Phi^{-1} of their distribution function, piecewise
/// linear between knots, and back. Values that are rounded to multiples of `step` are spread evenly over
/// their cells of that width, and rounded back. Where they are not rounded, one that at least five rows have
/// (at most 1,024 values) is a jump of that function: it has an interval of scores, over which it is spread
/// as N(0, 1) is, and from which it comes back exactly, as often as it was there. So do rounded ones that
/// five rows have, and three times as many as those around. Where rounded values are sparse (open_gaps,
/// lattice.h) the function rises from the middle of one to the middle of the next, so that those between come
/// too.
class NormalScores {
 public:
  /// Fitted to (n) float64 values, n >= 1, that differ by multiples of `step`; 0: values are not rounded.
  static NormalScores fit(const Tensor& values, double step, Between between = Between::none);

  /// Values (n) float64 to scores; `within` (n) in (0, 1) is the place in a rounded value's cell, or in the
  /// share of one that comes again. Values
  /// beyond those that the map was fitted to have the scores of the nearest.
  Tensor to_scores(const Tensor& values, const Tensor& within) const;
  /// The same, but of a value beside others that were not seen any place of its share of the law, half-way to
  /// the next ones seen: over the rows scores are then N(0, 1), and their values those of a smoother law.
  Tensor to_smooth_scores(const Tensor& values, const Tensor& within) const;
  /// Scores (n) to values within [low(), high()], float64.
  Tensor to_values(const Tensor& scores) const;
  /// log |d score / d value| at scores (n); of rounded values per cell, and of those that come again as a
  /// whole, so that a density becomes the probability of the value.
  Tensor log_slope(const Tensor& scores) const;

  double low() const { return low_; }
  double high() const { return high_; }
  double step() const { return step_; }
  Json to_json() const;
  /// Input error, naming `file`, where it is not one that `to_json` writes.
  static NormalScores from_json(const Json& json, const std::string& file);

 private:
  NormalScores() = default;
  Tensor rounded(const Tensor& values) const;
  std::pair<double, double> share_ends(double value) const;
  double step_ = 0, low_ = 0, high_ = 0;
  double origin_ = 0;    ///< values are this and multiples of the step
  bool smooth_ = false;  ///< others may come between those seen
  Tensor values_,
      scores_;  ///< (knots) float64, neither falling: a gap between cells has one score, a jump one value
};

}  // namespace fokker
