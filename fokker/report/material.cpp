#include "fokker/report/material.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/random/permutation.h"
#include "fokker/plot/chart/cells.h"
#include "fokker/plot/figure/label.h"
#include "fokker/train/defaults.h"
#include "fokker/train/trial.h"

namespace fokker::report {
namespace {

constexpr size_t kNameLength = 40;
constexpr int64_t kFewestHeldOut = 500;

/// So many samples that all their states fit in some hundred megabytes.
int64_t sample_count(const Material& m) {
  int64_t numbers = 1;
  for (const int64_t size : m.run.model.event_shape()) numbers *= size;
  if (m.images()) return std::clamp<int64_t>(200'000 / numbers, 4, std::max<int64_t>(4, m.options.images));
  return std::clamp<int64_t>(128'000 / numbers, 200, std::max<int64_t>(200, m.options.points));
}

/// Held-out rows where there are enough of them, else those of training; null where there are none.
const Dataset* compared_rows(const Material& m) {
  if (!m.run.data) return nullptr;
  return m.run.data->held_out.size() >= kFewestHeldOut ? &m.run.data->held_out : &m.run.data->training;
}

/// Runs the reverse flow and keeps every state, given the conditions of the rows that it is compared with.
void draw_samples(Material& m) {
  const Model& model = m.run.model;
  const auto parameter = model.network->parameters().front().tensor;
  std::vector<int64_t> shape{sample_count(m)};
  for (const int64_t size : model.event_shape()) shape.push_back(size);
  const TimeGrid grid =
      usual_grid(model.spec.process, (m.images() ? m.options.image_frames : m.options.frames) - 1);
  Trajectory trajectory(grid.steps(), shape, at::TensorOptions(parameter.scalar_type()));
  SampleOptions options{.grid = grid, .observers = {trajectory.observer()}};
  ask_as_rows(model, compared_rows(m), shape[0], options);
  m.samples = m.shown(sample(model, shape[0], Rng(m.options.seed).stream("report"), options).values);
  m.times = grid.times();
  m.scaled_states = is_additive(model.spec.process);
  Tensor states = trajectory.states().cpu();
  std::vector<Tensor> frames;
  for (size_t k = 0; k < m.times.size(); ++k) {
    const double sigma = model.spec.process.sigma(m.times[k]);
    const Tensor x = states[static_cast<int64_t>(k)];
    frames.push_back(m.shown(model.to_user(m.scaled_states ? x / std::sqrt(1 + sigma * sigma) : x)));
  }
  frames.back() = m.samples;
  m.states = at::stack(frames);
}

/// Fresh draws of a known law; else held-out rows where there are enough of them, else those of training.
void choose_rows(Material& m) {
  const Rng rng = Rng(m.options.seed).stream("report rows");
  if (m.run.law && m.run.law->can_sample()) {
    m.data = m.run.law->sample(m.options.points, rng);
    m.data_name = "fresh draws of the law";
    return;
  }
  if (!m.run.data) return;
  const Dataset& rows = *compared_rows(m);
  const bool held_out = &rows == &m.run.data->held_out;
  const Tensor chosen = RowOrder(rng, rows.size()).rows(0, std::min(rows.size(), m.options.points));
  const Model& model = m.run.model;
  const Tensor values = rows.rows(chosen);
  m.data = model.table ? m.shown(values) : model.to_user(model.to_model(values, at::kDouble));
  m.data_name = fmt::format("{} {}", held_out ? "held-out" : "training", m.images() ? "images" : "rows");
}

std::vector<std::string> short_names(const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const std::string& column : columns) names.push_back(shorten(column, kNameLength));
  return names;
}

}  // namespace

Tensor Material::shown(const Tensor& values) const {
  if (!run.model.table) return values;
  return plot::places_of_cells(values, run.model.table->schema(), Rng(options.seed).stream("places"));
}

Material gather(const RunRecord& run, const ReportOptions& options) {
  const GradientMode off(false);
  Material m{.run = run,
             .options = options,
             .denoiser = sampling_denoiser(run.model),
             .names = short_names(run.model.columns),
             .samples = {},
             .times = {},
             .states = {}};
  draw_samples(m);
  choose_rows(m);
  if (m.has_data() && m.data.size(0) >= kFewestCompared)
    m.comparison = compare(m.samples.flatten(1), m.data.flatten(1),
                           {.seed = options.seed,
                            .unit = m.images() ? DistanceUnit::common : DistanceUnit::column,
                            .modes = {}});
  return m;
}

void try_sampling(const Model& model, const Dataset& training) {
  const GradientMode off(false);
  const ReportOptions options;
  const TimeGrid grid =
      usual_grid(model.spec.process, (model.is_image() ? options.image_frames : options.frames) - 1);
  SampleOptions sampling{.grid = grid};
  ask_as_rows(model, &training, 1, sampling);
  detail::trial_row(model, Rng(0), sampling);
}

std::string shorten(const std::string& text, size_t count) {
  const std::string clean = plot::clean_text(text);
  size_t characters = 0, cut = clean.size();
  for (size_t i = 0; i < clean.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(clean[i]) & 0xc0) != 0x80;
    if (!starts) continue;
    if (++characters == count) cut = i;
    if (characters > count) return clean.substr(0, cut) + "…";
  }
  return clean;
}

std::string number(double value) {
  std::string text;
  for (const char c : fmt::format("{:.4g}", value)) text += c == '-' ? "−" : std::string(1, c);
  return text;
}

std::string thousands(int64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool starts_group = i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-';
    if (starts_group) text += ',';
    text += digits[i];
  }
  return text;
}

plot::Figure panel(const plot::Figure& whole, int row, int column, int width, int height) {
  plot::Figure figure({.width = width, .height = height, .theme = whole.options().theme});
  figure.axes() = whole.axes(row, column);
  return figure;
}

}  // namespace fokker::report
