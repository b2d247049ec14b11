#include "fokker/evaluate/table/detection.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/distributed/shared_jobs.h"
#include "fokker/evaluate/table/cells.h"
#include "fokker/evaluate/table/roc.h"

namespace fokker {
namespace {

int64_t detection_rows(const Tensor& x, const Tensor& y, const DetectionOptions& options) {
  const int64_t affordable = std::max<int64_t>(2000, options.most_cells / std::max<int64_t>(1, x.size(0)));
  return std::min({x.size(1), y.size(1), options.most_rows, affordable});
}

/// The fold of each of 2 n rows, n of each set, at random and as many of each set.
std::vector<int64_t> random_folds(int64_t n, int64_t folds, const Rng& rng) {
  std::vector<int64_t> fold(static_cast<size_t>(2 * n));
  for (int64_t set = 0; set < 2; ++set) {
    const Tensor order = rng.stream(static_cast<uint64_t>(set)).permutation(n);
    for (int64_t i = 0; i < n; ++i) fold[set * n + order.data_ptr<int64_t>()[i]] = i % folds;
  }
  return fold;
}

RocArea area_of_fold(const BinnedTable& table, const std::vector<int64_t>& fold, int64_t which,
                     const BoostingOptions& options) {
  const auto n = static_cast<int32_t>(table.rows / 2);
  std::vector<double> targets(static_cast<size_t>(table.rows));
  std::fill_n(targets.begin(), n, 1.0);
  std::vector<int32_t> training, samples, reference;
  for (int32_t row = 0; row < 2 * n; ++row)
    (fold[row] != which ? training : row < n ? samples : reference).push_back(row);
  const BoostedTrees trees(table, std::move(training), targets, BoostingLoss::logistic, options);
  return roc_area(trees.predict(table, samples), trees.predict(table, reference));
}

}  // namespace

Detection detect(const Tensor& samples, const Tensor& reference, const Schema& schema,
                 const DetectionOptions& options) try {
  Tensor x = columns_of_cells(samples, schema, "samples"),
         y = columns_of_cells(reference, schema, "reference");
  check(options.folds >= 2, "detect: expected at least 2 folds but received {}", options.folds);
  check(std::min(x.size(1), y.size(1)) >= 2 * options.folds,
        "detect: expected at least {} rows in each set but received {} and {}", 2 * options.folds, x.size(1),
        y.size(1));
  const Rng rng = Rng(options.seed).stream("detection");
  const int64_t rows = detection_rows(x, y, options);
  x = draw_rows(x, rows, rng.stream("samples"));
  y = draw_rows(y, rows, rng.stream("reference"));
  const Tensor all = at::cat({x, y}, 1);
  const BinnedTable table = TableBins(all, schema).apply(all);
  const std::vector<int64_t> fold = random_folds(rows, options.folds, rng.stream("folds"));
  const Tensor areas = shared_jobs(options.ranks, options.folds, 2, [&](int64_t k, double* numbers) {
    const RocArea area = area_of_fold(table, fold, k, options.boosting);
    numbers[0] = area.area;
    numbers[1] = area.variance;
  });
  Detection result{.auc = 0, .rows = rows};
  double variance = 0;
  for (int64_t k = 0; k < options.folds; ++k) {
    result.auc += areas[k][0].item<double>() / static_cast<double>(options.folds);
    variance += areas[k][1].item<double>();
  }
  result.standard_error = std::sqrt(variance) / static_cast<double>(options.folds);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
