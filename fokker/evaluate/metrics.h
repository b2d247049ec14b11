#pragma once
#include <cstdint>
#include <optional>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"
#include "fokker/evaluate/two_sample/copies.h"
#include "fokker/evaluate/two_sample/two_sample.h"
#include "fokker/target/gaussian_mixture.h"

/// How far apart two sets of samples are. Sets have shape (n, d), or (n) for d = 1, any real dtype; the
/// arithmetic is float64. Argument errors name the set: an empty one, a non-finite row, dimensions that
/// differ. Ranks, which call together and get the same, share what costs the most.
namespace fokker {

/// Energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'| (Szekely and Rizzo 2013; the squared form, zero only
/// for equal laws) by its unbiased estimate, which leaves out a sample's distance to itself and so can be
/// slightly negative. For d = 1 exact in O(n log n); otherwise O(n m d) time in blocks of bounded memory.
double energy_distance(const Tensor& x, const Tensor& y, const Ranks& ranks = {});

/// The median distance between distinct points of the pooled sets (of at most 1000 points of each).
double median_distance(const Tensor& x, const Tensor& y, const Rng& rng);

/// Squared maximum mean discrepancy, unbiased (Gretton et al. 2012, equation 3), for the kernel
/// exp(-|x - y|^2 / (2 bandwidth^2)). O(n m d).
double mmd(const Tensor& x, const Tensor& y, double bandwidth, const Ranks& ranks = {});

/// Sliced Wasserstein distance of order 2: the square root of the mean over random directions of W_2^2 of the
/// projections (Bonneel et al. 2015). The transport in one dimension is exact, for sets of unequal size too.
/// For d = 1 this is W_2.
double sliced_wasserstein(const Tensor& x, const Tensor& y, int64_t projections, const Rng& rng,
                          const Ranks& ranks = {});

/// Mean (d), standard deviation (d) and covariance (d, d) with the n - 1 denominator (0 for a single row).
/// Mean and deviation are right at any scale; a covariance beyond float64 is infinite, or 0.
struct Moments {
  Tensor mean, deviation, covariance;
};
Moments moments(const Tensor& x);

/// Largest absolute difference of the column means; with the second set's deviations as the unit where
/// `relative` (1 where a column is constant).
double mean_error(const Moments& samples, const Moments& reference, bool relative = false);
/// Largest absolute difference of covariance entries; entry (i, j) in units of s_i s_j where `relative`.
double covariance_error(const Moments& samples, const Moments& reference, bool relative = false);

/// Samples assigned to the components of a mixture by the largest responsibility. (Where the mixture has no
/// density the components are compared in the limit of vanishing noise: the nearest point.)
struct ModeStatistics {
  Tensor weights;      ///< (k) fraction of samples
  Tensor expected;     ///< (k) weights of the mixture
  Tensor counts;       ///< (k) int64
  Tensor means;        ///< (k, d); nan where no sample was assigned
  Tensor covariances;  ///< (k, d, d), nan below two samples; undefined where k d^2 > 2^24
};
ModeStatistics mode_weights(const Tensor& samples, const GaussianMixture& mixture);

/// `count` rows drawn without replacement; all of them, in order, where there are no more.
Tensor subsample(const Tensor& x, int64_t count, const Rng& rng);

/// What a distance between rows counts as one.
enum class DistanceUnit {
  column,  ///< each column's own deviation in the reference: columns of different units count alike
  common,  ///< one for all columns, the root mean square of their deviations: for images, whose pixels have
           ///< one unit already, and where a nearly constant border would else outweigh the picture
};

/// Rows of the samples that are `limit` units and more from the reference's mean in some column: they rule
/// distances and moments.
struct FarRows {
  static constexpr double limit = 1e6;
  int64_t rows = 0, first = -1;  ///< how many, and the first of them
  double largest = 0;            ///< units of the farthest
};

struct CompareOptions {
  uint64_t seed = 0;
  DistanceUnit unit = DistanceUnit::column;
  // Largest number of rows of each set that a metric uses; the rest is left out at random. For d > 16 all but
  // the sliced distance's shrink with the square root of d, so that the time stays the same.
  int64_t energy_rows = 20'000;
  int64_t mmd_rows = 5'000;
  int64_t classifier_rows = 5'000;
  int64_t sliced_rows = 100'000;
  int64_t test_rows = 20'000;
  int64_t projections = 128;
  int64_t relabellings = 1999;
  std::optional<GaussianMixture> modes;  ///< the target, where it has modes to count
  Ranks ranks = {};
};

/// Every metric at once. Those between distances see columns in the unit of `options.unit` (a column that is
/// constant in the reference has its deviation in the two sets together as its own), so that nothing depends
/// on the data's units; 1e100 units and more count as 1e100, and what is far away as 1e6 in the tests. Ranks
/// and equal values are those of the data, at the lesser precision where one set is of float32 numbers.
struct Comparison {
  int64_t samples = 0, reference = 0, dimension = 0;
  bool scaled = true;  ///< the first five are on scaled columns
  DistanceUnit unit = DistanceUnit::column;
  /// The energy distance is NaN where rows are so far away that rounding alone is left of it.
  double energy_distance = 0, mmd = 0, mmd_bandwidth = 0, sliced_wasserstein = 0;
  FarRows far;
  std::optional<ClassifierTest> classifier;  ///< absent below 4 rows
  Verdict verdict;
  Copies copies;                                ///< rows of the samples that are the reference's
  double mean_error = 0, covariance_error = 0;  ///< in the units of the data; may be infinite
  double mean_error_relative = 0, covariance_error_relative = 0;                ///< in the unit of distances
  int64_t energy_rows = 0, mmd_rows = 0, classifier_rows = 0, sliced_rows = 0;  ///< rows used at most
  std::optional<ModeStatistics> modes;
};
/// At least 2 rows in each set.
Comparison compare(const Tensor& samples, const Tensor& reference, const CompareOptions& options = {});

}  // namespace fokker
