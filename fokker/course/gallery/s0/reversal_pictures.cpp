// S0, Theorem 12.2: the reversal of diffusions whose noise depends on the state needs the divergence of a.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/course/problem/known_diffusions.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"

namespace fokker::gallery {
namespace {

Sde without_divergence(Sde sde) {
  sde.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  return sde;
}

/// Where a reversal on [0, 1] ends: rows (n, d) at the time 0 of the diffusion.
Tensor reversed_end(const Sde& sde, const StateFunction& score, const Tensor& start, const Rng& rng) {
  return simulated_paths(reverse(sde, score, 1), start, uniform_times(0, 1, 200), rng, 200)[-1];
}

const std::vector<std::string> divergence_titles = {"with div a", "without div a"};

Scene geometric(Workshop&, const Rng& rng, const Settings& set) {
  const GeometricBrownian law{.mu = set.real("mu"), .sigma = set.real("sigma")};
  const Tensor start = law.sample(1, 20'000, rng.stream("start"));
  std::vector<Tensor> ends;
  for (const Sde& sde : {law.sde(), without_divergence(law.sde())})
    ends.push_back(reversed_end(sde, law.score(), start, rng.stream("noise")).squeeze(1));
  plot::Range range{0, 3.2}, heights{0, 1.8};
  if (!set.changes().empty()) {
    const auto quantile = [&](double t) {
      return std::exp(law.log_mean(t) + 2.3 * std::sqrt(law.log_variance(t)));
    };
    range.high = std::max(quantile(0), quantile(1));
    heights.high = 0;
    for (const double t : {0.0, 1.0}) {
      const Tensor x = linspace({0.01, range.high}, 400).unsqueeze(1);
      heights.high = std::max(heights.high, 1.4 * law.log_density(x, t).exp().max().item<double>());
    }
  }
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 900, 400, 1, 2);
    const Tensor x = linspace({0.01, range.high}, 400);
    for (int i = 0; i < 2; ++i) {
      auto& axes = figure.axes(0, i);
      axes.title = divergence_titles[static_cast<size_t>(i)];
      axes.x = {.label = "x", .limits = range};
      axes.y = {.label = i == 0 ? "density" : "", .limits = heights};
      plot::add_histogram(
          axes, ends[static_cast<size_t>(i)],
          {.label = "end of the reversal", .colour = theme.series(0), .bins = 64, .range = range});
      plot::add_line(axes, x, law.log_density(x.unsqueeze(1), 0).exp(),
                     {.label = "p_0", .colour = theme.series(1), .width = 2});
      plot::add_line(axes, x, law.log_density(x.unsqueeze(1), 1).exp(),
                     {.label = "p_1, the start", .colour = theme.muted, .dash = plot::Dash::dashed});
    }
    return figure;
  })};
}

Scene warped(Workshop&, const Rng& rng) {
  const WarpedLinear law;
  const int64_t n = 3000;
  const Tensor start = law.to_x(law.sample_y(1, n, rng.stream("start")));
  std::vector<Tensor> ends;
  for (const Sde& sde : {law.sde(), without_divergence(law.sde())})
    ends.push_back(reversed_end(sde, law.score(), start, rng.stream("noise")));
  // All points are inside, with room for their radius.
  const Tensor all = at::cat(ends), low = all.amin(0) - 0.2, high = all.amax(0) + 0.2;
  const plot::Extent extent{.x = {low[0].item<double>(), high[0].item<double>()},
                            .y = {low[1].item<double>(), high[1].item<double>()}};
  const int64_t cells = 200;
  const Tensor grid =
      law.log_density(plot::grid_points(extent, cells, cells), 0).exp().reshape({cells, cells});
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 900, 450, 1, 2);
    for (int i = 0; i < 2; ++i) {
      auto& axes = figure.axes(0, i);
      axes.title = divergence_titles[static_cast<size_t>(i)];
      axes.x = {.label = "x_1", .limits = extent.x};
      axes.y = {.label = i == 0 ? "x_2" : "", .limits = extent.y};
      plot::add_scatter(
          axes, ends[static_cast<size_t>(i)],
          {.label = "end of the reversal", .colour = theme.series(0), .radius = 1.6, .alpha = 0.45});
      plot::add_contours(axes, grid, extent,
                         {.label = "p_0", .colour = theme.series(1), .count = 6, .width = 1.6});
    }
    return figure;
  })};
}

}  // namespace

void add_s0_reversal(Items& items) {
  items.push_back(
      {.id = "s0.divergence",
       .title = "Noise that depends on the state: the reversal needs div a",
       .source = "S0, Theorem 12.2",
       .caption =
           "Geometric Brownian motion, dx = 0.3 x dt + 0.5 x dB, run backwards from its exact law at t = 1 "
           "with the exact score, by 20,000 paths. With the theorem's term ∇·a = 0.5 x the reversal returns "
           "to p_0; without it, which is right only where a does not depend on x (Example 12.2), it ends "
           "too far to the left.",
       .alt =
           "Two histograms against the same density: on the left they agree, on the right the histogram lies "
           "well to the left of the density.",
       .kind = Kind::figure,
       .prepare = geometric,
       .settings = {Setting::real("mu", 0.3, -1, 1, "the rate in dx = mu x dt + sigma x dB"),
                    Setting::real("sigma", 0.5, 0.1, 0.8, "its noise")},
       .caption_when_set =
           "Geometric Brownian motion, dx = μ x dt + σ x dB with the μ or σ that was set, run backwards from "
           "its exact law at t = 1 with the exact score, by 20,000 paths: with the theorem's term ∇·a = 2 σ² "
           "x "
           "the reversal returns to p_0; without it, which is right only where a does not depend on x "
           "(Example 12.2), it does not.",
       .alt_when_set = "Two histograms against the same density: on the left they agree, on the right the "
                       "histogram is displaced."});
  items.push_back(
      {.id = "s0.divergence-plane",
       .title = "The same in the plane, with a full matrix",
       .source = "S0, Theorem 12.2",
       .caption =
           "x = (sinh y_1, sinh y_2 + 0.4 y_1²) of a linear diffusion y has a dispersion matrix that depends "
           "on x, and a known law. 3000 paths of its reversal, with and without ∇·a, over the contours of "
           "p_0.",
       .alt =
           "Two clouds of blue points over the same orange contours: the left one fills them, the right one "
           "lies closer together and its upper right part is missing.",
       .kind = Kind::figure,
       .prepare = warped});
}

}  // namespace fokker::gallery
