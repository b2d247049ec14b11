// S0, section 12.1: a diffusion that reaches the data at time 1. Time runs as in S0, data at t = 1.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"

namespace fokker::gallery {
namespace {

constexpr int64_t bridge_steps = 400;

/// X_t of Theorem 12.1 from X_0 ~ pi * N(0, sigma^2): (k, n, 1).
Tensor bridge_paths(const GaussianMixture& data, double sigma, int64_t n, const Rng& rng) {
  const StateFunction score = [&](const Tensor& x, double t) {
    return data.noised(1, sigma * std::sqrt(t)).score(x);
  };
  return simulated_paths(reverse(brownian_motion(1, sigma), score, 1),
                         data.noised(1, sigma).sample(n, rng.stream("start")),
                         uniform_times(0, 1, bridge_steps), rng.stream("noise"), 4);
}

/// Limits that show a law, or those of the usual picture.
plot::Range limits_of(const GaussianMixture& law, bool changed, plot::Range usual, double deviations) {
  const double mean = law.mean().item<double>(),
               reach = deviations * std::sqrt(law.covariance().item<double>());
  return changed ? plot::Range{mean - reach, mean + reach} : usual;
}

Scene bridge(Workshop&, const Rng& rng, const Settings& set) {
  const GaussianMixture& data = set.law();
  const double bridge_sigma = set.real("sigma");
  const bool changed = !set.changes().empty();
  const plot::Range reach = limits_of(data.noised(1, bridge_sigma), changed, {-7, 7}, 3),
                    view = limits_of(data, changed, {-4.5, 5}, 3);
  const Tensor paths = bridge_paths(data, bridge_sigma, 4000, rng).squeeze(2);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 420, 1, 2);
    auto& flow = figure.axes(0, 0);
    flow.title = "X_t between its laws h(x, t)";
    flow.x = {.label = "t", .limits = plot::Range{0, 1}};
    flow.y = {.label = "X_t", .limits = reach};
    flow.grid = false;
    plot::add_function_over_time(flow,
                                 [&](const Tensor& x, double t) {
                                   return density_on(data.noised(1, bridge_sigma * std::sqrt(1 - t)), x);
                                 },
                                 *flow.x.limits, reach, {.label = "h(x, t)", .density = true});
    plot::add_lines(flow, linspace({0, 1}, paths.size(0)), paths.narrow(1, 0, 24).t(),
                    {.colour = theme.series(1), .width = 0.9, .alpha = 0.7});
    auto& end = figure.axes(0, 1);
    end.title = "at t = 1";
    end.x = {.label = "x", .limits = view};
    end.y.label = "density";
    plot::add_histogram(end, paths[-1], {.label = "4000 X_1", .colour = theme.series(0), .bins = 60});
    const Tensor x = linspace(*end.x.limits, 400);
    plot::add_line(end, x, density_on(data, x), {.label = "\\pi", .colour = theme.series(1), .width = 2});
    plot::add_line(end, x, density_on(data.noised(1, bridge_sigma), x),
                   {.label = "law of X_0", .colour = theme.muted, .dash = plot::Dash::dashed});
    return figure;
  })};
}

Scene example(Workshop&, const Rng& rng, const Settings& set) {
  const double middle = set.real("sigma"), highest = 1 + 4 * middle * middle;
  const std::vector<double> sigmas = {middle / 2, middle, 2 * middle};
  const GaussianMixture data = GaussianMixture::standard_normal(1);
  std::vector<Tensor> variances;
  variances.reserve(sigmas.size());
  for (const double sigma : sigmas)
    variances.push_back(bridge_paths(data, sigma, 20'000, rng).squeeze(2).var(1));
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 400);
    auto& axes = figure.axes();
    axes.x.label = "t";
    axes.y = {.label = "Var X_t", .limits = plot::Range{0, 1.08 * highest}};
    const Tensor t = linspace({0, 1}, variances[0].size(0));
    for (size_t i = 0; i < sigmas.size(); ++i) {
      const double s = sigmas[i];
      plot::add_line(
          axes, t, s * s * (1 - t) + 1,
          {.label = fmt::format("\\sigma^2 (1 - t) + 1, \\sigma = {:.4g}", s), .colour = theme.series(i)});
      const Tensor points = at::stack({t, variances[i]}, 1);
      plot::add_scatter(axes, points.slice(0, 0, {}, 10),
                        {.colour = theme.series(i), .radius = 3.5, .alpha = 1});
    }
    return figure;
  })};
}

}  // namespace

void add_s0_bridge(Items& items) {
  items.push_back(
      {.id = "s0.bridge",
       .title = "A diffusion that ends at the data",
       .source = "S0, Theorem 12.1",
       .caption =
           "dX = σ² ∇ log h(X, t) dt + σ dB with σ = 2, from X_0 ~ π ∗ N(0, σ²): 24 paths over the density "
           "h(x, t) that the theorem gives for X_t, and 4000 end points against π. Unlike Langevin dynamics "
           "it arrives at time 1, not in the limit. S0's time runs from noise (t = 0) to data (t = 1), the "
           "other way than in the other sources.",
       .alt =
           "Left: orange paths that start widely spread and gather on two levels, over a blue density that "
           "splits "
           "in two. Right: a histogram of the end points that follows the density of the data.",
       .kind = Kind::figure,
       .prepare = bridge,
       .settings = {two_bumps_setting(),
                    Setting::real("sigma", 2, 0.1, 20, "deviation of the noise at its end")},
       .caption_when_set =
           "dX = σ² ∇ log h(X, t) dt + σ dB from X_0 ~ π ∗ N(0, σ²), with the π or the σ that was set: 24 "
           "paths over the density h(x, t) that the theorem gives for X_t, and 4000 end points against π. "
           "S0's time runs from noise (t = 0) to data (t = 1), the other way than in the other sources.",
       .alt_when_set = "Left: orange paths over a blue density that becomes the law of the data. Right: a "
                       "histogram of the end points, the density of the data and that of the start."});
  items.push_back(
      {.id = "s0.example",
       .title = "The variance of a normal bridge",
       .source = "S0, Example 12.1 and Exercise 12.1",
       .caption = "For π = N(0, 1) the process is linear and X_t ~ N(0, σ² (1 − t) + 1): the exercise's "
                  "straight lines, and the variance of 20,000 simulated paths (dots) for three σ.",
       .alt = "Three straight lines that fall to 1 at t = 1, with dots of simulated variances on them.",
       .kind = Kind::figure,
       .prepare = example,
       .settings = {Setting::real("sigma", 1, 0.1, 4, "the middle one of three σ, half as large and twice")},
       .caption_when_set =
           "For π = N(0, 1) the process is linear and X_t ~ N(0, σ² (1 − t) + 1): the exercise's straight "
           "lines, and the variance of 20,000 simulated paths (dots) for the σ that was set, half and twice "
           "as large.",
       .alt_when_set = "Three straight lines that fall to 1 at t = 1, with dots of simulated variances on "
                       "them."});
}

}  // namespace fokker::gallery
