// fokker plot score-field: the score of x_t as arrows on the density, or on samples where it is not known.
#include "cli/command/plot.h"
#include "cli/denoiser_source.h"
#include "cli/law.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/chart/kernel_density.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"

namespace fokker::cli {
namespace {

constexpr double kUsualTime = 0.1;
constexpr int64_t kGroundSamples = 3000;
constexpr int64_t kGroundCells = 120;

struct ScoreField {
  DenoiserSource source;
  double time;
  std::vector<Law> law;  ///< of a target

  /// In the user's units, (n, d) -> (n, d).
  Tensor score(const Tensor& x) const {
    const GradientMode off(false);
    return source.normalisation.pullback_score(
        source.denoiser->estimate(source.to_model(x), time).score().cpu());
  }
};

/// x_t of the given data, or else of the model's own samples, in the user's units.
Tensor ground_rows(const PlotOptions& o, const ScoreField& field) {
  const DenoiserSource& source = field.source;
  const Rng rng = Rng(o.common.seed).stream("score field");
  Tensor x0;
  if (!o.data.empty()) {
    x0 = source.load(o.data);
    x0 = x0.narrow(0, 0, std::min(x0.size(0), kGroundSamples));
  } else {
    const TimeGrid grid = TimeGrid::uniform_log_snr(source.process(), 25);
    x0 = generate(*source.denoiser, DpmPp2M(), grid, {kGroundSamples, source.event[0]}, rng, source.type).x;
  }
  const Tensor noise = rng.stream("noise").normal(x0.sizes(), {}, at::kDouble).to(x0.options());
  return source.to_user(source.process().perturb(x0, noise, field.time));
}

/// A column's name, or x_i of a target.
std::string column_label(const ScoreField& field, size_t i) {
  if (field.source.model) return field.source.columns[i];
  return field.source.dimension() == 1 ? "x_t" : fmt::format("x_{}", i + 1);
}

plot::Figure make_page(const PlotOptions& o, int rows, int width, int height) {
  const plot::ChartOptions chart = chart_of(o.picture);
  plot::FigureOptions page = plot::page_of(chart, width, height);
  page.rows = rows;
  plot::Figure figure(page);
  figure.axes().title = chart.title.empty()
                            ? fmt::format("score at t = {:.3g}",
                                          o.times.empty() ? kUsualTime : parse_numbers("time", o.times)[0])
                            : chart.title;
  return figure;
}

plot::Figure draw_plane(const PlotOptions& o, const ScoreField& field, const Tensor& rows,
                        plot::Extent extent) {
  plot::Figure figure = make_page(o, 1, 620, 580);
  plot::Axes& axes = figure.axes();
  axes.x = {.label = column_label(field, 0), .limits = extent.x};
  axes.y = {.label = column_label(field, 1), .limits = extent.y};
  axes.equal_aspect = plot::similar(extent.x, extent.y);
  if (!field.law.empty())
    plot::add_density(axes, field.law[0].density, extent,
                      {.resolution = kGroundCells, .contours = 0, .shade = 0.5});
  else
    plot::add_scatter(axes, rows,
                      {.label = o.data.empty() ? "samples at that time" : "the data at that time"});
  // Arrows on a grid that is regular on the page, whatever the units.
  plot::add_score_field(axes, [&](const Tensor& x) { return field.score(x); }, extent, {.arrows = o.arrows});
  return figure;
}

/// One coordinate: the density above its score.
plot::Figure draw_line(const PlotOptions& o, const ScoreField& field, const Tensor& rows, plot::Range x) {
  constexpr int64_t points = 500;
  plot::Figure figure = make_page(o, 2, 640, 560);
  const Tensor at = plot::grid_points({x, {0, 1}}, 1, points).narrow(1, 0, 1).contiguous();
  plot::Axes &law = figure.axes(0, 0), &score = figure.axes(1, 0);
  law.x.limits = score.x.limits = x;
  law.y.label = field.law.empty() ? "density (kernel estimate)" : "density";
  score.x.label = column_label(field, 0);
  score.y.label = "score";
  plot::add_line(
      law, at.select(1, 0),
      field.law.empty() ? plot::kernel_density(rows.select(1, 0), x, points) : field.law[0].density(at),
      {.width = 2.0});
  plot::add_line(score, at.select(1, 0), field.score(at).select(1, 0),
                 {.colour = plot::SeriesColour(size_t{1}), .width = 2.0});
  return figure;
}

}  // namespace

void draw_score_field(const PlotOptions& o) {
  const auto times = o.times.empty() ? std::vector<double>{kUsualTime} : parse_numbers("time", o.times);
  check(times.size() == 1, "plot score-field: expected one --time but received {}", times.size());
  check(times[0] >= 0 && times[0] <= 1, "time: expected a time in [0, 1] but received {}", times[0]);
  check(o.inputs.size() <= 1, "plot score-field: expected one run folder or --target but received {} inputs",
        o.inputs.size());
  ScoreField field{open_denoiser(o.common, {o.inputs.empty() ? "" : o.inputs[0], o.study.target,
                                            o.study.process, o.reading}),
                   times[0],
                   {}};
  const int64_t dimension = field.source.dimension();
  check_input(field.source.event.size() == 1 && dimension <= 2,
              "plot score-field: expected 1 or 2 coordinates but received shape {}",
              shape_string(field.source.event));
  const bool known = !o.study.target.empty();
  check(known || field.source.process().sigma(times[0]) > 0,
        "time: a trained score needs noise, but sigma({}) = 0", times[0]);
  check(!known || o.data.empty(), "plot score-field: --data is for a run; the density of a target is known");
  if (known)
    field.law.push_back(
        law_at(o.study.target, o.study.process, times[0], o.common.seed, field.source.reading));
  const bool exact = known && field.law[0].density;
  const Tensor rows = known ? field.law[0].samples : ground_rows(o, field);
  if (known && !exact) field.law.clear();
  const plot::Extent extent = with_limits(extent_of({{.time = times[0], .samples = rows}}), o.limits);
  (dimension == 1 ? draw_line(o, field, rows, extent.x) : draw_plane(o, field, rows, extent)).save(o.out);
}

}  // namespace fokker::cli
