#include "cli/run/preview.h"

#include "fokker/plot/chart/cells.h"
#include "fokker/plot/chart/charts.h"
#include "fokker/plot/mark/image_grid.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"
#include "fokker/train/trial.h"

namespace fokker::cli {
namespace {

constexpr int64_t most_points = 5000;

fokker::SampleOptions preview_options(const Model& model) {
  const int64_t steps = model.is_image() ? 15 : 25;
  return {.sampler = std::make_shared<DpmPp2M>(), .grid = detail::log_snr_grid(model.spec.process, steps)};
}

Rng preview_rng(uint64_t seed) {
  return Rng(seed).stream("preview");
}

/// Rows as they are drawn: of a table with a schema the places of their cells.
Tensor as_pictured(const Model& model, const Tensor& values) {
  if (!model.table) return values;
  return plot::places_of_cells(values, model.table->schema(), Rng(0).stream("places"));
}

fokker::SampleOptions preview_options(const Model& model, const Dataset& training, int64_t n) {
  fokker::SampleOptions options = preview_options(model);
  ask_as_rows(model, &training, n, options);
  return options;
}

Tensor draw(const Model& model, const Dataset& training, int64_t n, uint64_t seed) {
  return as_pictured(model, sample(model, n, preview_rng(seed), preview_options(model, training, n)).values);
}

}  // namespace

void try_preview(const Model& model, const Dataset& training) {
  const Tensor one = detail::trial_row(model, preview_rng(0), preview_options(model, training, 1));
  if (model.is_image()) plot::image_grid(one);
}

void write_preview(const std::filesystem::path& file, const Model& model, const Dataset& training,
                   uint64_t seed) {
  if (model.is_image()) return plot::save_image_grid(file, draw(model, training, 16, seed));
  const auto dimension = std::ssize(model.columns);
  const int64_t n = std::min(training.size(), most_points);
  const Tensor samples = draw(model, training, n, seed);
  const Tensor data = as_pictured(model, training.block(0, n));
  if (dimension == 2) {
    plot::scatter_comparison(data, samples, {"training data", "samples"},
                             {.x_label = model.columns[0], .y_label = model.columns[1]})
        .save(file);
  } else if (dimension == 1) {
    plot::histogram(samples, {.x_label = model.columns[0]}).save(file);
  } else {
    const int64_t shown = std::min<int64_t>(dimension, 6);
    const std::vector<std::string> columns(model.columns.begin(), model.columns.begin() + shown);
    plot::scatter_matrix(data.narrow(1, 0, shown), columns, {.second = samples.narrow(1, 0, shown)})
        .save(file);
  }
}

}  // namespace fokker::cli
