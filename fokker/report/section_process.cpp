#include <cmath>

#include "fokker/plot/chart/schedule_curves.h"
#include "fokker/plot/chart/values.h"
#include "fokker/plot/mark/heatmap.h"
#include "fokker/plot/mark/quiver.h"
#include "fokker/report/sections.h"

namespace fokker::report {
namespace {

constexpr int64_t kArrows = 19;  // a side
constexpr int64_t kPoints = 600;
constexpr std::array<double, 2> kNoiseLevels{1.0, 0.2};  // sigma / alpha

/// The noised rows at t in the model's space, (n, d).
Tensor noised(const Material& m, double t) {
  const Normalisation& map = m.run.model.normalisation;
  const Tensor all = m.has_data() ? m.data : m.samples;
  const Tensor rows = map.apply(all.narrow(0, 0, std::min(kPoints, all.size(0))), at::kDouble);
  const Tensor noise = Rng(m.options.seed).stream("score field").normal(rows.sizes(), {}, at::kDouble);
  return m.run.model.spec.process.perturb(rows, noise, t);
}

plot::Figure field_figure(const Material& m, double t, const plot::Theme& theme) {
  const Model& model = m.run.model;
  const Tensor points = model.normalisation.invert(noised(m, t));
  plot::Figure figure({.width = 440, .height = 420, .theme = theme});
  plot::Axes& axes = figure.axes();
  const auto x = plot::padded_limits(plot::range_of(plot::to_vector(points.select(1, 0).contiguous())),
                                     plot::Scale::linear, 0.02);
  const auto y = plot::padded_limits(plot::range_of(plot::to_vector(points.select(1, 1).contiguous())),
                                     plot::Scale::linear, 0.02);
  axes.title =
      fmt::format("t = {:.3f}, \\sigma/\\alpha = {:.2g}", t, std::exp(-0.5 * model.spec.process.log_snr(t)));
  axes.x = {.label = m.names[0], .limits = x};
  axes.y = {.label = m.names[1], .limits = y};
  plot::add_scatter(axes, points, {.colour = theme.series(0), .alpha = 0.25});
  const Tensor places = plot::grid_points({x, y}, kArrows, kArrows);
  const auto type = model.network->parameters().front().tensor.options().requires_grad(false);
  const Tensor inside = model.normalisation.apply(places, at::kDouble).to(type);
  const Tensor score = model.normalisation.pullback_score(m.denoiser->estimate(inside, t).score().cpu());
  plot::add_quiver(axes, places, score, {.colour = theme.text, .length_power = 0.4});
  return figure;
}

}  // namespace

void add_score_field(Page& page, const Material& m) {
  if (m.images() || m.columns() != 2 || m.run.model.table) return;
  page.section("Score field");
  page.paragraph(
      "The learned score ∇ log pₜ at two noise levels, over rows of the data noised to the same level. "
      "Arrows point "
      "to where the density grows; longer arrows are stronger, by the power 0.4.");
  const GaussianProcess& process = m.run.model.spec.process;
  std::vector<Figure> figures;
  for (const double level : kNoiseLevels) {
    const double t = process.schedule()->time_of_log_snr(-2 * std::log(level));
    figures.push_back(
        {.picture = embed([&](const plot::Theme& theme) { return field_figure(m, t, theme); },
                          fmt::format("Arrows of the score over noised points at t = {:.3f}.", t),
                          plot::ImageFormat::png)});
  }
  page.figures(figures);
}

void add_schedule(Page& page, const Material& m) {
  page.section("Schedule");
  const auto& process = m.run.model.spec.process;
  const std::string name = process.schedule()->config().value("type", "process");
  page.paragraph(
      fmt::format("The process {}: xₜ = α(t) x₀ + σ(t) ε, with the log-SNR λ = log α²/σ² and the squared "
                  "dispersion g² of its diffusion.",
                  name));
  std::vector<Figure> figures;
  constexpr std::array<const char*, 4> quantities{"α(t)", "σ(t)", "the log-SNR λ(t)", "g(t)²"};
  figures.reserve(quantities.size());
  for (int i = 0; i < 4; ++i)
    figures.push_back(
        {.picture = embed(
             [&](const plot::Theme& theme) {
               const auto all = plot::schedule_curves({{name, process.schedule()}}, {.theme = theme});
               return panel(all, i / 2, i % 2, 440, 260);
             },
             fmt::format("{} over t.", quantities[static_cast<size_t>(i)]))});
  page.figures(figures);
}

}  // namespace fokker::report
