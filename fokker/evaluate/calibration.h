#pragma once
#include <string>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"

namespace fokker {

/// A test of numbers in (0, 1) against the uniform law.
struct UniformityTest {
  double statistic = 0;
  double p_value = 1;
};
/// Kolmogorov and Smirnov's largest distance D of the empirical distribution from the diagonal; its law by
/// the limit with Stephens' (1970) correction for n. Argument error for no numbers.
UniformityTest kolmogorov_uniformity(const Tensor& u);
/// Pearson's statistic over bins of equal width, by the chi-square law of bins - 1 degrees of freedom.
/// Argument error for fewer than 2 bins.
UniformityTest chi_square_uniformity(const Tensor& u, int64_t bins);

/// Where each true value stands among its draws, (n, d) float64 in (0, 1): with `less` draws below it and
/// `equal` ones at it, u = (less + V (equal + 1)) / (L + 1) for V uniform on (0, 1). Where truth and draws
/// are of one law, u is uniform exactly, whatever the number of draws, and for discrete columns too (the
/// ranks of Talts et al. 2018, arXiv:1804.06788, algorithm 1, spread over their cell). truth (n, d), draws
/// (n, L, d); NaN, a missing cell, stands below all numbers.
Tensor posterior_ranks(const Tensor& truth, const Tensor& draws, const Rng& rng);

/// The same of distances to a random point (TARP: Lemos et al. 2023, arXiv:2302.03026, algorithm 2), (n): the
/// share of draws that lie nearer to it than the truth. Points are uniform on the box of the true values,
/// distances Euclidean in units of each column's deviation over the rows; columns without one play no part.
Tensor tarp_ranks(const Tensor& truth, const Tensor& draws, const Rng& rng);

struct CalibrationOptions {
  std::vector<std::string> columns = {};          ///< names; x0, x1, ... where not given
  std::vector<double> levels = {0.5, 0.9, 0.99};  ///< of central intervals
  int64_t bins = 0;                               ///< of histograms; 0: 20, fewer below 400 rows
};

struct CalibrationColumn {
  std::string name = {};
  Tensor ranks = {};                    ///< (n) in (0, 1)
  std::vector<int64_t> histogram = {};  ///< of the ranks, over bins of equal width
  UniformityTest chi_square = {}, kolmogorov = {};
  std::vector<double> coverage = {};  ///< share of truths within the central interval of each level
};

/// What posterior draws say of themselves on rows whose truth is known.
struct Calibration {
  int64_t rows = 0, draws = 0;
  std::vector<double> levels = {};
  std::vector<double> coverage_error = {};  ///< standard error of each column's coverage, were it exact
  std::vector<CalibrationColumn> columns = {};
  Tensor tarp = {};               ///< (n) in (0, 1)
  UniformityTest tarp_test = {};  ///< Kolmogorov and Smirnov's
  /// Of all tests, the least p-value times their number, at most 1 (Bonferroni): at most uniform on (0, 1)
  /// where the draws are of the true posterior.
  double p_value = 1;
  std::string decided_by = {};  ///< the test with the least
  /// The counts between which a bin of a histogram lies with 99 % probability, were the draws exact.
  int64_t band_low = 0, band_high = 0;
};

/// Simulation-based calibration: truth (n, d) and draws (n, L, d) of the posterior given each row's
/// condition. Everything random depends on the rng alone. Argument error for fewer than 20 rows, no draws, or
/// shapes that do not fit.
Calibration calibrate(const Tensor& truth, const Tensor& draws, const Rng& rng,
                      const CalibrationOptions& options = {});

/// The share of numbers u (n) at or below each of `levels`: of tarp ranks, the coverage of credible regions
/// of that level.
std::vector<double> coverage_curve(const Tensor& u, const std::vector<double>& levels);

}  // namespace fokker
