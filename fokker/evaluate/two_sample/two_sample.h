#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/distributed/ranks.h"

/// Whether two sets of samples come from one law. Sets and errors as in metrics.h.
namespace fokker {

/// Energy distance against random relabellings of the pooled points (relabelled in groups above about a
/// thousand; every point takes part: relabelling.h).
struct PermutationTest {
  double statistic;  ///< energy distance (zero self-distances included: the choice does not change the test)
  double p_value;    ///< (1 + relabellings at least as far apart) / (1 + relabellings)
};
/// O((n + m)^2 d) time.
PermutationTest energy_test(const Tensor& x, const Tensor& y, int64_t permutations, const Rng& rng);

/// Classifier two-sample test (Lopez-Paz and Oquab 2017). Both sets are cut to the same size, then each half
/// classifies the other (two-fold, balanced), by whichever of two rules tells the halves of its own training
/// rows apart better:
///   neighbours: a vote of the k nearest, k odd and near the square root of the training size;
///   columns: the product of each column's ratio of histograms, in which frequent values have bins of their
///   own
///     (naive Bayes), where nearest neighbours are blind: in many columns the tighter set is nearest to all.
/// Where one set holds copies of the other's rows beyond chance, each copied row counts once, in one of the
/// two at random: a copy would otherwise answer for its original.
struct ClassifierTest {
  double accuracy;        ///< 1/2 where the sets cannot be told apart, 1 where they are disjoint
  double standard_error;  ///< of the accuracy, at 1/2, for one half: what both find is nearly the same
  int64_t neighbours;     ///< k
  int64_t rows;           ///< of each set that it used
  std::string rule;       ///< "neighbours", "columns", or "neighbours and columns" where the halves differ
};
/// At least 4 rows in each set.
ClassifierTest classifier_test(const Tensor& x, const Tensor& y, const Rng& rng, const Ranks& ranks = {});

/// What the tests found of one column.
struct ColumnDifference {
  int64_t column;
  double p_value;  ///< corrected for the number of columns: of a difference so strong in any of them
  std::string
      kind;  ///< what is strongest: "location", "spread", "shape", "repeated values", "most frequent value"
  double distance;  ///< largest difference of the distribution functions (Kolmogorov and Smirnov)
  double repeated_samples, repeated_reference;  ///< shares of values that stand in the column more than once
};
struct PairDifference {
  int64_t first, second;
  double p_value;  ///< corrected for the number of pairs tested
};

/// The strictest of several tests, corrected for their number.
struct Verdict {
  /// Of a difference as strong in any of the tests: uniform on (0, 1) under equal laws, or larger.
  double p_value = 1;
  std::string decided_by;  ///< "energy", "columns", "pairs", "repeated rows" or "classifier"
  double energy = 1, columns = 1, pairs = 1, repeated_rows = 1;  ///< each test's own p-value
  std::optional<double> classifier;                              ///< absent below 4 rows
  int64_t samples = 0, reference = 0;  ///< rows that the tests used (all, unless there are too many)
  int64_t relabellings = 0;
  int64_t pairs_tested = 0, pairs_possible = 0;
  std::vector<ColumnDifference> by_column;      ///< in the order of the columns
  std::vector<PairDifference> strongest_pairs;  ///< the ten strongest, strongest first
};

/// What a verdict is made from: the same rows twice.
struct VerdictInput {
  Tensor x, y;                    ///< as they are, for ranks and equal values (n, d) and (m, d)
  Tensor distance_x, distance_y;  ///< in the units in which distances are measured
  std::optional<ClassifierTest> classifier;
  Ranks ranks = {};
};
/// Energy distance, columns, pairs of columns and repeated rows under the same random relabellings, and the
/// strictest of them by the law of their strictest (Westfall and Young 1993), then with the classifier's
/// (Bonferroni, a fifth for it).
///   columns: location, spread, shape of ranks, and exact values (column_scores.h);
///   pairs: products of two columns' scores of location and spread, for all pairs or the thousand that depend
///     most on each other in both sets together, of 1024 columns at most;
///   repeated rows: how often a whole row stands in the two sets.
Verdict two_sample_verdict(const VerdictInput& sets, int64_t relabellings, const Rng& rng);

}  // namespace fokker
