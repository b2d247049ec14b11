#include "cli/command/plot.h"
#include "cli/matching.h"
#include "cli/registry.h"
#include "fokker/core/check.h"

namespace fokker::cli {
namespace {

/// Rows of a file, or of "target:TARGET" as many as shown beside it.
Dataset rows_of(const std::string& input, uint64_t seed, const LoadOptions& reading) {
  const auto target = named_target(input);
  if (!target) return read_data_file(input, reading);
  return draw_rows(*target, 20'000, Rng(seed).stream("plot"), reading);
}

/// Of one input, or of two the columns that both have.
std::vector<Dataset> sets_of(const PlotOptions& o) {
  check(o.inputs.size() <= 2, "plot scatter: expected one or two inputs but received {}", o.inputs.size());
  const auto is_file = [](const std::string& input) { return !named_target(input); };
  std::vector<Dataset> sets;
  if (o.inputs.size() == 2 && is_file(o.inputs[0]) && is_file(o.inputs[1])) {
    auto [first, second] = load_pair(o.inputs[0], o.inputs[1], o.reading.load_options());
    sets = {std::move(first), std::move(second)};
  } else {
    for (const auto& input : o.inputs)
      sets.push_back(rows_of(input, o.common.seed, o.reading.load_options()));
  }
  for (const Dataset& set : sets)
    check_input(!set.is_images(), "{}: expected a table but it holds images", set.source);
  return sets;
}

}  // namespace

void draw_scatter(const PlotOptions& o) {
  const std::vector<Dataset> sets = sets_of(o);
  const int64_t dimension = sets[0].values.size(1);
  for (const auto& set : sets)
    check_input(set.values.size(1) == dimension, "{}: expected {} columns but it has {}", set.source,
                dimension, set.values.size(1));
  const plot::ChartOptions chart = chart_of(o.picture);
  if (dimension == 1) return plot::histogram(sets[0].values, chart).save(o.out);
  if (dimension > 2) {
    check(dimension <= 8, "plot scatter: expected at most 8 columns but received {}", dimension);
    plot::ScatterMatrixOptions matrix;
    matrix.title = o.picture.title;
    matrix.theme = theme_of(o.picture);
    if (sets.size() == 2) matrix.second = sets[1].values;
    return plot::scatter_matrix(sets[0].values, sets[0].columns, matrix).save(o.out);
  }
  if (sets.size() == 1) return plot::scatter(sets[0].values, chart).save(o.out);
  plot::scatter_comparison(sets[0].values, sets[1].values, {sets[0].source, sets[1].source}, chart)
      .save(o.out);
}

}  // namespace fokker::cli
