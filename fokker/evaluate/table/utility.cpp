#include "fokker/evaluate/table/utility.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/evaluate/table/cells.h"
#include "fokker/evaluate/table/roc.h"

namespace fokker {
namespace {

/// Rows that have the target, as columns without it, and the target apart.
struct TargetedRows {
  Tensor columns;
  std::vector<double> target;
  int64_t size() const { return static_cast<int64_t>(target.size()); }
};

TargetedRows rows_with_target(const Tensor& cells, const Schema& schema, const char* set, int64_t target) {
  const Tensor columns = columns_of_cells(cells, schema, set);
  const Column& column = schema.columns[static_cast<size_t>(target)];
  Tensor there = at::isnan(columns[target]).logical_not();
  if (column.has_levels())  // what is no level is no class
    there = there.logical_and(columns[target] >= 0)
                .logical_and(columns[target] < static_cast<double>(column.levels.size()))
                .logical_and(columns[target] == columns[target].floor());
  check(there.any().item<bool>(), "{}: expected rows with a value of '{}' but there are none", set,
        column.name);
  return {columns.index_select(1, at::nonzero(there).squeeze(1)), {}};
}

/// Draws the rows that are used and takes the target out.
void separate(TargetedRows& rows, int64_t most, int64_t target, const Rng& rng) {
  const Tensor drawn = draw_rows(rows.columns, most, rng);
  const Tensor values = drawn[target].contiguous();
  rows.target.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  rows.columns = at::cat({drawn.slice(0, 0, target), drawn.slice(0, target + 1)});
}

std::vector<int32_t> all_rows(int64_t count) {
  std::vector<int32_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Trees learn one target from some rows and predict it in others.
std::vector<double> learn_and_predict(const TargetedRows& training, const TargetedRows& test,
                                      const Schema& schema, const std::vector<double>& targets,
                                      BoostingLoss loss, const BoostingOptions& options) {
  const TableBins bins(training.columns, schema);
  const BoostedTrees trees(bins.apply(training.columns), all_rows(training.size()), targets, loss, options);
  return trees.predict(bins.apply(test.columns), all_rows(test.size()));
}

double r_squared(const std::vector<double>& predicted, const std::vector<double>& values) {
  double mean = 0, error = 0, variation = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    error += (predicted[i] - values[i]) * (predicted[i] - values[i]);
    variation += (values[i] - mean) * (values[i] - mean);
  }
  check(variation > 0, "utility: expected held-out rows in which the target varies");
  return 1 - error / variation;
}

/// The classes that are predicted, most frequent first: of two only one, as the other's area is the same.
std::vector<double> classes_of(const std::vector<double>& values, int64_t levels, int64_t most) {
  std::vector<int64_t> rows(static_cast<size_t>(levels)), order(static_cast<size_t>(levels));
  for (const double v : values) ++rows[static_cast<size_t>(v)];
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return rows[a] > rows[b]; });
  std::vector<double> classes;
  for (const int64_t level : order)
    if (rows[level] > 0 && static_cast<int64_t>(classes.size()) < most)
      classes.push_back(static_cast<double>(level));
  check(classes.size() > 1, "utility: expected held-out rows of at least two classes but they have {}",
        classes.size());
  if (classes.size() == 2 && rows[static_cast<size_t>(classes[0])] + rows[static_cast<size_t>(classes[1])] ==
                                 static_cast<int64_t>(values.size()))
    classes.erase(classes.begin());
  return classes;
}

RocArea area_of_class(const TargetedRows& training, const TargetedRows& test, const Schema& schema,
                      double which, const BoostingOptions& options) {
  std::vector<double> targets;
  for (const double v : training.target) targets.push_back(v == which);
  const std::vector<double> score =
      learn_and_predict(training, test, schema, targets, BoostingLoss::logistic, options);
  std::vector<double> positives, negatives;
  for (size_t i = 0; i < score.size(); ++i)
    (test.target[i] == which ? positives : negatives).push_back(score[i]);
  return roc_area(positives, negatives);
}

void compare_areas(Utility& result, const TargetedRows (&training)[2], const TargetedRows& test,
                   const Schema& schema, const std::vector<double>& classes, const UtilityOptions& options) {
  const Tensor found =
      shared_jobs(options.ranks, 2 * std::ssize(classes), 2, [&](int64_t k, double* numbers) {
        const RocArea area = area_of_class(training[k % 2], test, schema, classes[static_cast<size_t>(k / 2)],
                                           options.boosting);
        numbers[0] = area.area;
        numbers[1] = area.variance;
      });
  std::vector<RocArea> areas;
  for (int64_t k = 0; k < found.size(0); ++k)
    areas.push_back({found[k][0].item<double>(), found[k][1].item<double>()});
  const bool binary = classes.size() == 1;
  const auto error = [&](const RocArea& a) {
    return binary ? std::sqrt(a.variance) : std::numeric_limits<double>::quiet_NaN();
  };
  result.measure = "auc";
  result.synthetic_error = error(areas[0]);
  result.real_error = error(areas[1]);
  for (size_t k = 0; k < areas.size(); ++k)
    (k % 2 ? result.real : result.synthetic) += areas[k].area / static_cast<double>(classes.size());
}

void compare_fits(Utility& result, const TargetedRows (&training)[2], const TargetedRows& test,
                  const Schema& schema, const UtilityOptions& options) {
  const Tensor fit = shared_jobs(options.ranks, 2, 1, [&](int64_t k, double* number) {
    *number = r_squared(learn_and_predict(training[k], test, schema, training[k].target,
                                          BoostingLoss::squared, options.boosting),
                        test.target);
  });
  result.measure = "r2";
  result.synthetic = fit[0].item<double>();
  result.real = fit[1].item<double>();
  result.synthetic_error = result.real_error = std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

int64_t default_target(const Schema& schema) {
  check(schema.size() >= 2, "default_target: expected at least two columns but received {}", schema.size());
  for (int64_t c = schema.size() - 1; c >= 0; --c) {
    const ColumnKind kind = schema.columns[static_cast<size_t>(c)].kind;
    if (kind == ColumnKind::categorical || kind == ColumnKind::ordinal) return c;
  }
  return schema.size() - 1;
}

Utility utility(const Tensor& samples, const Tensor& reference, const Tensor& held_out, const Schema& schema,
                int64_t target, const UtilityOptions& options) try {
  check(schema.size() >= 2 && target >= 0 && target < schema.size(),
        "utility: expected the target's place among two columns or more, but received {} of {}", target,
        schema.size());
  const Column& column = schema.columns[static_cast<size_t>(target)];
  TargetedRows training[] = {rows_with_target(samples, schema, "samples", target),
                             rows_with_target(reference, schema, "reference", target)};
  TargetedRows test = rows_with_target(held_out, schema, "held-out rows", target);
  const int64_t rows =
      std::min({training[0].columns.size(1), training[1].columns.size(1), options.most_rows});
  const Rng rng = Rng(options.seed).stream("utility");
  separate(training[0], rows, target, rng.stream("samples"));
  separate(training[1], rows, target, rng.stream("reference"));
  separate(test, options.most_rows, target, rng.stream("held-out"));
  Schema others = schema;
  others.columns.erase(others.columns.begin() + target);
  Utility result{.target = target, .rows = rows, .tested = test.size()};
  if (column.has_levels()) {
    const auto levels = static_cast<int64_t>(column.levels.size());
    const std::vector<double> classes = classes_of(test.target, levels, options.most_classes);
    compare_areas(result, training, test, others, classes, options);
  } else {
    compare_fits(result, training, test, others, options);
  }
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
