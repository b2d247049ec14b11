#include "fokker/evaluate/table/boosting.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

double mean_target(const std::vector<int32_t>& rows, const std::vector<double>& targets) {
  double sum = 0;
  for (const int32_t row : rows) sum += targets[row];
  return sum / static_cast<double>(rows.size());
}

/// The best constant prediction; of one class alone, odds that no more rows would change much.
double best_constant(double mean, size_t rows, BoostingLoss loss) {
  if (loss == BoostingLoss::squared) return mean;
  const double least = 0.5 / static_cast<double>(rows + 1);
  const double p = std::clamp(mean, least, 1 - least);
  return std::log(p / (1 - p));
}

void derive(BoostingLoss loss, const std::vector<int32_t>& rows, const std::vector<double>& targets,
            const std::vector<double>& prediction, RowDerivatives& out) {
  at::parallel_for(0, static_cast<int64_t>(rows.size()), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t row = rows[i];
      if (loss == BoostingLoss::squared) {
        out.gradient[row] = prediction[row] - targets[row];
        out.hessian[row] = 1;
        continue;
      }
      const double p = 1 / (1 + std::exp(-prediction[row]));
      out.gradient[row] = p - targets[row];
      out.hessian[row] = p * (1 - p);
    }
  });
}

}  // namespace

BoostedTrees::BoostedTrees(const BinnedTable& table, std::vector<int32_t> rows,
                           const std::vector<double>& targets, BoostingLoss loss,
                           const BoostingOptions& options) {
  check(!rows.empty() && static_cast<int64_t>(targets.size()) == table.rows,
        "BoostedTrees: expected rows, and {} targets but received {} of {}", table.rows, rows.size(),
        targets.size());
  check(options.rounds > 0 && options.rate > 0,
        "BoostedTrees: expected rounds > 0 and rate > 0 but received {} and {}", options.rounds,
        options.rate);
  for (const int32_t row : rows)
    check(std::isfinite(targets[row]) &&
              (loss == BoostingLoss::squared || (targets[row] >= 0 && targets[row] <= 1)),
          "BoostedTrees: target {} of row {} does not fit the loss", targets[row], row);
  start_ = best_constant(mean_target(rows, targets), rows.size(), loss);
  std::vector<double> prediction(targets.size(), start_);
  RowDerivatives derivatives{std::vector<double>(targets.size()), std::vector<double>(targets.size())};
  TreeGrower grower(table, options.tree);
  const std::vector<int32_t> order = rows;
  for (int64_t round = 0; round < options.rounds; ++round) {
    check_stop();
    rows = order;  // sums run in the order of the rows
    derive(loss, rows, targets, prediction, derivatives);
    trees_.push_back(grower.grow(rows, derivatives, options.rate, prediction));
    if (trees_.back().nodes.size() == 1) break;  // nothing is left to learn
  }
}

std::vector<double> BoostedTrees::predict(const BinnedTable& table, const std::vector<int32_t>& rows) const {
  std::vector<double> result(rows.size(), start_);
  at::parallel_for(0, static_cast<int64_t>(rows.size()), 512, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (const RegressionTree& tree : trees_) result[i] += tree.value(table, rows[i]);
  });
  return result;
}

}  // namespace fokker
