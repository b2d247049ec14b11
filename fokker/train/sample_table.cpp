#include "fokker/train/sample_table.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/denoise/table.h"

namespace fokker {
namespace {

constexpr double last_ratio =
    0.01;  // sigma/alpha where levels are drawn: finer ones lie closer than float32 tells

/// With what they say of other columns (TableMap::complete). What is not known plays no part, but must be a
/// cell: 0 is one of every column.
KnownCells completed(const Model& model, const KnownCells& known, int64_t n) {
  if (!known.any()) return {};
  const Schema& schema = model.table->schema();
  check(known.cells.dim() == 2 && known.cells.size(1) == schema.size() &&
            known.known.sizes() == known.cells.sizes() &&
            (known.cells.size(0) == 1 || known.cells.size(0) == n),
        "known cells: expected one or {} rows of {} columns but received {}", n, schema.size(),
        shape_string(known.cells));
  Tensor mask = known.known.to(at::kBool).clone();
  Tensor cells = known.cells.to(at::kDouble).masked_fill(mask.logical_not(), 0);
  model.table->complete(cells, mask);
  check(!known.present.defined() || known.present.sizes() == mask.sizes(),
        "known cells: expected which others are not missing of as many rows but received {}",
        known.present.defined() ? shape_string(known.present) : "");
  const auto all_rows = [&](const Tensor& rows) { return rows.expand({n, -1}).contiguous(); };
  return {all_rows(cells), all_rows(mask), known.present.defined() ? all_rows(known.present) : Tensor()};
}

/// As the network is given them.
TableCondition condition_of(const Model& model, const KnownCells& known, const Rng& rng,
                            const at::TensorOptions& type, int64_t first_sample) {
  if (!known.any()) return {};
  const Rng places = rng.stream("known");
  Tensor mask = known.known.to(type);
  if (known.present.defined()) {
    const Tensor told = known.present & known.known.logical_not() & model.table->layout().tells_missing();
    mask = mask - told.to(type);
  }
  return {
      std::move(mask),
      model.table->encode(known.cells, &places, {.first_sample = first_sample}, Within::share).x.to(type)};
}

/// One level of each discrete part, drawn from log p (n, levels).
Tensor draw_levels(const TableLayout& layout, const Tensor& log_p, const Rng& rng, int64_t first_sample) {
  const int64_t n = log_p.size(0);
  const Tensor u = rng.stream("levels").uniform({n, layout.discretes()}, {.first_sample = first_sample});
  std::vector<Tensor> levels;
  const std::vector<PartOffset> offsets = layout.offsets();
  for (size_t i = static_cast<size_t>(layout.numbers()); i < offsets.size(); ++i) {
    const int64_t count = layout.parts[i].levels;
    const Tensor cumulative = log_p.narrow(1, offsets[i].level, count).exp().cumsum(1).contiguous();
    const Tensor at = u.narrow(1, offsets[i].discrete, 1) * cumulative.narrow(1, count - 1, 1);
    levels.push_back(at::searchsorted(cumulative, at.contiguous()).squeeze(1).clamp_max(count - 1));
  }
  return levels.empty() ? at::zeros({n, 0}, at::TensorOptions(at::kLong)) : at::stack(levels, 1);
}

/// Cells of rows x at the last time t of their grid.
Tensor finish(const Model& model, const TableDenoiser& denoiser, const Tensor& x, double t, const Rng& rng,
              const IntegrateOptions& options) {
  const GradientMode no_gradients(false);
  const TableLayout& layout = model.table->layout();
  const int64_t numbers = layout.numbers();
  std::vector<Tensor> cells{at::empty({0, model.table->schema().size()}, at::TensorOptions(at::kDouble))};
  for (int64_t first = 0; first < x.size(0); first += options.block) {
    const int64_t count = std::min(options.block, x.size(0) - first);
    const Tensor rows = x.narrow(0, first, count);
    const Tensor labels = options.labels.defined() ? options.labels.narrow(0, first, count) : Tensor();
    const auto [heads, denoised] = denoiser.answer(rows, t, labels);
    TableRows drawn{.x = denoised.narrow(1, 0, numbers).cpu(), .levels = {}};
    drawn.levels = draw_levels(
        layout, heads.log_probabilities.defined() ? heads.log_probabilities.cpu() : at::zeros({count, 0}),
        rng, options.first_sample + first);
    cells.push_back(model.table->decode(drawn));
  }
  return at::cat(cells, 0);
}

}  // namespace

TimeGrid table_grid(const GaussianProcess& process, int64_t steps) {
  const double end =
      std::max(process.time_min(), process.schedule()->time_of_log_snr(-2 * std::log(last_ratio)));
  return TimeGrid::karras(process, steps, 7.0, {.start = 1.0, .end = end});
}

TableSamples sample_table(const Model& model, const TableDraw& draw, IntegrateOptions options) {
  const int64_t n = draw.start.size(0);
  const KnownCells known = completed(model, draw.known, n);
  const bool rows_differ = known.any() || draw.classes.defined();
  if (rows_differ) options.labels = at::arange(n, at::TensorOptions(at::kLong));
  const TableDenoiser denoiser(
      model.network, model.spec,
      condition_of(model, known, draw.rng, draw.start.options(), options.first_sample), draw.classes);
  const Integration run = integrate(denoiser, draw.sampler, draw.grid, draw.start, options);
  const double last = draw.grid.times().back();
  Tensor cells = last > 0 ? finish(model, denoiser, run.x, last, draw.rng, options) : model.to_user(run.x);
  if (known.any()) cells = at::where(known.known, known.cells, cells);
  return {std::move(cells), run.evaluations + (last > 0 ? 1 : 0), run.rejected};
}

}  // namespace fokker
