#include <cmath>

#include "fokker/plot/chart/charts.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/report/loss_profiles.h"
#include "fokker/train/train_options.h"

namespace fokker::report {
namespace {

constexpr int kWidth = 460, kHeight = 320;
constexpr double kLogarithmicAbove = 20;  // ratio of the largest to the smallest value

struct Spread {
  double least = INFINITY, most = 0;
  void add(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  bool is_wide() const { return least > 0 && most > kLogarithmicAbove * least; }
};

Tensor as_tensor(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

plot::Figure draw_profile(const Profiles& p, const plot::Theme& theme) {
  plot::Figure figure({.width = kWidth, .height = kHeight, .theme = theme});
  plot::Axes& axes = figure.axes();
  axes.x = {.label = "t"};
  axes.y = {.label = "loss"};
  // Two standard errors on either side, so that chance is not read as a difference.
  const auto band = [&](const LossProfile& profile, size_t colour) {
    const Tensor loss = as_tensor(profile.loss), error = 2 * as_tensor(profile.standard_error);
    const double floor = axes.y.scale == plot::Scale::logarithmic ? axes.y.limits->low : 0;
    plot::add_band(axes, as_tensor(profile.times), (loss - error).clamp_min(floor),
                   (loss + error).clamp_min(floor), {.colour = theme.series(colour), .alpha = 0.2});
  };
  const auto line = [&](const LossProfile& profile, const std::string& name, size_t colour, plot::Dash dash) {
    plot::add_line(axes, as_tensor(profile.times), as_tensor(profile.loss),
                   {.label = name, .colour = theme.series(colour), .width = 2, .dash = dash});
  };
  Spread spread;
  for (const double value : p.measured.loss) spread.add(value);
  if (spread.is_wide()) {
    // The bound may be zero where the noise is small: below the axis.
    axes.y.scale = plot::Scale::logarithmic;
    axes.y.limits = plot::Range{spread.least / 4, spread.most * 2};
  }
  band(p.measured, 0);
  if (p.training) band(*p.training, 1);
  line(p.measured, p.rows, 0, plot::Dash::solid);
  if (p.training) line(*p.training, "training rows", 1, plot::Dash::solid);
  line(p.best, p.best_name, 2, plot::Dash::dashed);
  return figure;
}

Figure profile_figure(const Material& m, const Profiles& p) {
  const TrainingRecord& training = m.run.model.training;
  const std::string objective = training.objective.value_or("denoising");
  std::string caption = fmt::format(
      "Over t: the denoising loss w(t) E‖value − target‖² / d of the network's own output ({}), weighting "
      "{}; shaded: ± two standard errors, each row counted once.",
      m.run.model.spec.name(), shorten(weighting_of(training), 60));
  if (objective != "denoising")
    caption += fmt::format(" Training minimised another objective, {}.", shorten(objective, 60));
  if (!m.run.model.network->knows_no_label())
    caption += " The network is told each row's label, which the bound is not.";
  else if (m.run.data->training.labels.defined() || m.run.data->training.conditions.defined())
    caption += " Labels and conditions take no part: it is the unconditional estimate's.";
  return {.picture = embed([&](const plot::Theme& theme) { return draw_profile(p, theme); },
                           fmt::format("Loss as a function of t on {}, with the {}.", p.rows, p.best_name)),
          .caption = caption};
}

/// Standard error of the held-out loss over training, a mean over rows, noise and times: from the spread of
/// the profile at each time and between times. Nothing where training minimised something else than the
/// profile shows.
std::optional<double> held_out_error(const Material& m, const Profiles& p) {
  if (m.run.model.training.objective.value_or("denoising") != "denoising") return {};
  const int64_t rows = std::min(TrainOptions().held_out_rows, m.run.data->held_out.size());
  if (rows < 2) return {};
  const auto profiled = static_cast<double>(p.measured_rows);
  const Tensor loss = as_tensor(p.measured.loss), error = as_tensor(p.measured.standard_error);
  const double within = (error.square() * profiled).mean().item<double>(),
               between = loss.var(false).item<double>();
  return std::sqrt((within + between) / static_cast<double>(rows));
}

Figure curve_figure(const Material& m, std::optional<double> error) {
  const auto series = loss_series(m.run.metrics, "held out, averaged weights");
  Spread spread;
  for (const auto& one : series)
    for (int64_t i = 0; i < one.values.size(0); ++i) spread.add(one.values[i].item<double>());
  const auto draw = [&](const plot::Theme& theme) {
    plot::Figure figure = plot::loss_curves(
        series, {.chart = {.theme = theme, .width = kWidth, .height = kHeight}, .log_y = spread.is_wide()});
    if (series.size() > 1 && error) {
      const double floor = spread.is_wide() ? spread.least / 4 : 0;
      const Tensor low = (series[1].values - 2 * *error).clamp_min(floor);
      plot::add_band(figure.axes(), series[1].steps, low, at::maximum(low, series[1].values + 2 * *error),
                     {.colour = theme.series(1), .alpha = 0.15});
    }
    // Held-out loss is measured rarely: each time it was is a point.
    if (series.size() > 1)
      plot::add_scatter(figure.axes(), at::stack({series[1].steps, series[1].values}, 1),
                        {.colour = theme.series(1), .radius = 3, .alpha = 1});
    return figure;
  };
  const TrainMetrics& last = m.run.metrics.back();
  const std::string band =
      error && series.size() > 1
          ? fmt::format(
                " Shaded: ± two of its standard errors, {} each, over the rows held out. As rows and noise "
                "are the "
                "same every time the curve is sharper than its height: a gap to the training loss within "
                "the band may be chance.",
                number(*error))
          : "";
  return {.picture = embed(draw, fmt::format("The loss over {} steps of training; the last value is {}.",
                                             thousands(last.step), number(last.loss))),
          .caption =
              "Over training: the mean since the last measurement (faint) and its moving average; held-out "
              "loss is that of the averaged weights, with the same noise every time." +
              band};
}

Json profile_json(const Profiles& p) {
  Json json = {{"rows", p.rows},          {"times", p.measured.times},
               {"loss", p.measured.loss}, {"standard_error", p.measured.standard_error},
               {"least", p.best.loss},    {"least_is", p.best_name}};
  if (p.training) json["training_loss"] = p.training->loss;
  return json;
}

Table profile_table(const Profiles& p) {
  Table table{.caption = "The loss at each t as numbers",
              .columns = {"t", "Loss on " + p.rows, "Standard error"},
              .folded = true};
  if (p.training) table.columns.emplace_back("On training rows");
  table.columns.push_back(p.best_name);
  for (size_t i = 0; i < p.measured.times.size(); ++i) {
    std::vector<std::string> row{fmt::format("{:.4f}", p.measured.times[i]), number(p.measured.loss[i]),
                                 number(p.measured.standard_error[i])};
    if (p.training) row.push_back(number(p.training->loss[i]));
    row.push_back(number(p.best.loss[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::vector<plot::LossSeries> loss_series(const std::vector<TrainMetrics>& metrics,
                                          const std::string& held_out) {
  std::vector<double> steps, losses, held_steps, held;
  for (const TrainMetrics& line : metrics) {
    steps.push_back(static_cast<double>(line.step));
    losses.push_back(line.loss);
    if (!line.held_out_loss) continue;
    held_steps.push_back(static_cast<double>(line.step));
    held.push_back(*line.held_out_loss);
  }
  std::vector<plot::LossSeries> series{
      {"training", at::tensor(steps, at::kDouble), at::tensor(losses, at::kDouble)}};
  if (!held.empty())
    series.push_back({held_out, at::tensor(held_steps, at::kDouble), at::tensor(held, at::kDouble)});
  return series;
}

void add_loss(Page& page, const Material& m, Json& summary) {
  page.section("Loss");
  const bool curve = m.run.metrics.size() > 1;
  if (!curve) page.note("The run holds fewer than two measurements of the loss: there is no curve to draw.");
  const bool enough = m.run.data && m.run.data->training.size() > 1;
  if (!enough)
    page.note("The loss at each time is not measured: " +
              (m.run.data ? std::string("it needs at least two rows of data.") : m.run.why_no_data));
  std::vector<Figure> figures;
  if (!enough) {
    if (curve) figures.push_back(curve_figure(m, {}));
    return void(page.figures(figures));
  }
  const Profiles profiles = measure_profiles(m);
  if (curve) figures.push_back(curve_figure(m, held_out_error(m, profiles)));
  summary["loss_profile"] = profile_json(profiles);
  figures.push_back(profile_figure(m, profiles));
  page.figures(figures).paragraph(profiles.best_meaning).table(profile_table(profiles));
}

}  // namespace fokker::report
