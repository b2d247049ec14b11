#pragma once
#include <cstdint>
#include <vector>

#include "fokker/evaluate/table/tree.h"

namespace fokker {

enum class BoostingLoss {
  logistic,  ///< targets 0 and 1; a prediction is the logarithm of the odds of 1
  squared,   ///< half the square of the error
};

/// By default as strong as scikit-learn's HistGradientBoostingClassifier.
struct BoostingOptions {
  int64_t rounds = 100;
  double rate = 0.1;  ///< by which every tree's values are shrunk
  TreeOptions tree = {};
};

/// A sum of regression trees, each of which takes a step against the loss of those before it (Friedman 2001),
/// with its second derivatives, on histograms of binned columns. It draws no random numbers.
class BoostedTrees {
 public:
  /// From those `rows` of a table, with a target for every row of it (others are not looked at). Argument
  /// error: no rows, targets that are not finite, or not in [0, 1] for the logistic loss.
  BoostedTrees(const BinnedTable& table, std::vector<int32_t> rows, const std::vector<double>& targets,
               BoostingLoss loss, const BoostingOptions& options = {});
  /// Predictions of those rows of a table with the same bins.
  std::vector<double> predict(const BinnedTable& table, const std::vector<int32_t>& rows) const;
  const std::vector<RegressionTree>& trees() const { return trees_; }

 private:
  double start_ = 0;
  std::vector<RegressionTree> trees_;
};

}  // namespace fokker
