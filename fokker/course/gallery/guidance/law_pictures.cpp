// What law guidance samples, beside the tilted one (docs/conditioning.md).
#include "fokker/core/error.h"
#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/problem/guided_law.h"
#include "fokker/course/problem/labelled_mixture.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker::gallery {
namespace {

/// A class of two modes in the plane, and another that touches one of them.
GaussianMixture plane_law(bool whole) {
  const auto rows = [](const std::vector<double>& values, int64_t columns) {
    return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble)).reshape({-1, columns});
  };
  return whole
             ? GaussianMixture(rows({0.3, 0.2, 0.5}, 3).squeeze(0), rows({0.8, 0.3, 0.4, 2.2, -0.9, -0.4}, 2),
                               rows({0.25, 0.15, 0.4}, 3).squeeze(0))
             : GaussianMixture(rows({0.6, 0.4}, 2).squeeze(0), rows({0.8, 0.3, 0.4, 2.2}, 2),
                               rows({0.25, 0.15}, 2).squeeze(0));
}

/// p(x)^(1-w) p(x|c)^w on a grid, up to a factor, as heat maps take it.
Tensor plane_tilted(double weight, plot::Extent extent, int64_t n) {
  const Tensor x = plot::grid_points(extent, n, n);
  const Tensor logs =
      (1 - weight) * plane_law(true).log_density(x) + weight * plane_law(false).log_density(x);
  return (logs - logs.max()).exp().reshape({n, n});
}

Tensor plane_samples(double weight, int64_t n, const Rng& rng) {
  const GaussianProcess process = VariancePreserving{};
  const auto exact = std::make_shared<LabelledMixture>(
      plane_law(true), std::vector<GaussianMixture>{plane_law(false)}, process);
  return generate(GuidedDenoiser(exact, 0, weight), Heun(), TimeGrid::uniform_log_snr(process, 60), {n, 2},
                  rng, at::kDouble)
      .x;
}

void draw_plane(plot::Axes& axes, const plot::Theme& theme, const Tensor& density, const Tensor& x,
                plot::Extent extent, size_t colour) {
  axes.x = {.label = "x_1", .limits = extent.x};
  axes.y = {.label = "x_2", .limits = extent.y};
  axes.equal_aspect = true;
  axes.grid = false;
  plot::add_scatter(axes, x, {.colour = theme.series(colour), .radius = 1.5, .alpha = 0.35});
  plot::add_contours(axes, density, extent, {.colour = theme.text, .count = 5, .width = 1});
}

Scene laws(Workshop&, const Rng& rng, const Settings& set) {
  const double largest = set.real("weight"), plane_weight = 0.75 * largest;
  const Tensor x = linspace({-3, 5}, 401);
  const auto line = [](double weight) {
    return GuidedLine{.weak = both_classes(), .strong = guided_class(1), .weight = weight};
  };
  const Tensor whole = density_on(both_classes(), x), given = density_on(guided_class(1), x);
  std::vector<std::pair<double, LineLaw>> guided, tilted;
  for (const double weight : {largest / 2, largest}) {
    guided.emplace_back(weight, guided_law(line(weight), x));
    tilted.emplace_back(weight, tilted_law(line(weight), x));
  }
  const plot::Extent extent{{-1.5, 3}, {-1.5, 4}};
  const Tensor sharp = plane_tilted(plane_weight, extent, 120),
               plain = density_on(plane_law(false), extent, 120);
  const Tensor conditional = plane_samples(1, 3000, rng), moved = plane_samples(plane_weight, 3000, rng);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 640, 2, 2);
    for (size_t i = 0; i < 2; ++i) {
      auto& axes = figure.axes(0, static_cast<int>(i));
      axes.title = fmt::format("on the line, weight {:.4g}", guided[i].first);
      axes.x = {.label = "x", .limits = plot::Range{-3, 4.5}};
      axes.y = {.label = i == 0 ? "density" : ""};
      plot::add_line(axes, x, whole, {.label = "p(x)", .colour = theme.series(2), .width = 1.5});
      plot::add_line(axes, x, given, {.label = "p(x | c)", .colour = theme.series(0), .width = 1.5});
      plot::add_line(axes, x, tilted[i].second.density,
                     {.label = "tilted", .colour = theme.text, .width = 1.5});
      plot::add_line(axes, x, guided[i].second.density,
                     {.label = "guided", .colour = theme.series(1), .width = 2.5});
    }
    draw_plane(figure.axes(1, 0), theme, plain, conditional, extent, 0);
    figure.axes(1, 0).title = "weight 1: samples over p(x | c)";
    draw_plane(figure.axes(1, 1), theme, sharp, moved, extent, 1);
    figure.axes(1, 1).title = fmt::format("weight {:.4g}: samples over the tilted law", plane_weight);
    return figure;
  })};
}

}  // namespace

void add_guidance_laws(Items& items) {
  items.push_back(
      {.id = "guidance.laws",
       .title = "Guidance does not sample the tilted law",
       .source = "Ho and Salimans 2022; Bradley and Nakkiran 2024",
       .caption =
           "Classifier-free guidance replaces each score by that of p_t(x)^(1−w) p_t(x|c)^w, but these are "
           "not the noised laws of any one law. Above, on the line, the law that the guided flow samples is "
           "known: it is narrower than the tilted law p(x)^(1−w) p(x|c)^w / Z, gives the modes other "
           "weights, and lies further from the other class. Below, in the plane, 3000 guided samples over "
           "contours of p(x|c) and of the tilted law.",
       .alt =
           "Two panels of density curves, in which the guided curve lies to the right of the tilted one and "
           "gives the right mode more, at weight 4 nearly all; and two clouds of points in the plane over "
           "contours, of which the guided cloud does not fit those of the tilted law.",
       .kind = Kind::figure,
       .prepare = laws,
       .settings = {Setting::real("weight", 4, 1, 8, "the larger weight; on the left half of it, below 3/4")},
       .caption_when_set =
           "Classifier-free guidance replaces each score by that of p_t(x)^(1−w) p_t(x|c)^w, but these are "
           "not the noised laws of any one law. Above, on the line, the law that the guided flow samples and "
           "the tilted law p(x)^(1−w) p(x|c)^w / Z, at the weight that was set and at half of it; below, in "
           "the plane, 3000 samples over contours of p(x|c), and guided ones at 3/4 of that weight over "
           "those "
           "of the tilted law.",
       .alt_when_set = "Two panels of density curves, and two clouds of points in the plane over contours."});
}

}  // namespace fokker::gallery
