// S2, Figures 4.1 and 4.2.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/course/problem/small_networks.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/quiver.h"

namespace fokker::gallery {
namespace {

const plot::Extent toy_boxes[] = {{{-7, -3}, {-7, -3}}, {{3, 7}, {3, 7}}};

Tensor learned_score(const Denoiser& network, const Tensor& x) {
  const GradientMode off(false);
  return network.estimate(x.to(at::kFloat), 1.0).score().to(at::kDouble);
}

void draw_scores(plot::Axes& axes, const plot::Theme& theme, const Tensor& density, const Tensor& x,
                 const Tensor& score) {
  const plot::Extent extent = square(8);
  axes.x = {.label = "x_1", .limits = extent.x};
  axes.y.limits = extent.y;
  axes.equal_aspect = true;
  axes.grid = false;
  plot::add_heatmap(axes, density, extent, {.map = warm_map(theme), .colour_bar = false, .smooth = true});
  plot::add_quiver(axes, x, score, {.colour = theme.text, .longest = 1.25});
  for (const auto& box : toy_boxes) add_box(axes, box, theme.series(3));
}

/// The shared network, or one trained as a reader has set.
std::shared_ptr<const Denoiser> toy_network_of(Workshop& shop, const Rng& rng, const Settings& set) {
  if (set.changes().empty()) return {std::shared_ptr<const Denoiser>{}, &shop.toy_network()};
  const GradientMode on(true);
  const Tensor points = named_mixture("two-modes").sample(set.integer("n"), rng.stream("points"));
  return train_toy_score(points, set.real("sigma"), rng.stream("network"));
}

Scene figure_4_1(Workshop& shop, const Rng& rng, const Settings& set) {
  const GaussianMixture data = named_mixture("two-modes");
  const double sigma = set.real("sigma");
  const std::shared_ptr<const Denoiser> network = toy_network_of(shop, rng, set);
  const plot::Extent extent = square(8);
  const Tensor x = plot::grid_points(extent, 20, 20), fine = plot::grid_points(extent, 80, 80);
  // Denoising score matching learns the score of mu_sigma, so that is what it is compared with.
  const GaussianMixture noised = data.noised(1, sigma);
  const Tensor exact = noised.score(x), learned = learned_score(*network, x);
  const Tensor truth = noised.score(fine);
  const Tensor error = ((learned_score(*network, fine) - truth).norm(2, 1) / truth.norm(2, 1).clamp_min(1))
                           .clamp_max(1)
                           .reshape({80, 80});
  const Tensor density = density_on(data, extent, 120);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 350, 1, 3);
    draw_scores(figure.axes(0, 0), theme, density, x, exact);
    figure.axes(0, 0).title = fmt::format("score \\nabla log \\mu_\\sigma(x), \\sigma = {:.4g}", sigma);
    figure.axes(0, 0).y.label = "x_2";
    draw_scores(figure.axes(0, 1), theme, density, x, learned);
    figure.axes(0, 1).title = "estimated score s_\\theta(x)";
    auto& third = figure.axes(0, 2);
    third.title = "error over max(|score|, 1)";
    third.x = {.label = "x_1", .limits = extent.x};
    third.y.limits = extent.y;
    third.equal_aspect = true;
    third.grid = false;
    plot::add_heatmap(third, error, extent,
                      {.range = plot::Range{0, 1}, .label = "1 or more: yellow", .smooth = true});
    for (const auto& box : toy_boxes) add_box(third, box, theme.series(3));
    return figure;
  })};
}

void draw_density(plot::Axes& axes, const plot::Theme& theme, const GaussianMixture& law) {
  const plot::Extent extent = square(14);
  axes.x = {.label = "x_1", .limits = extent.x};
  axes.y.limits = extent.y;
  axes.equal_aspect = true;
  axes.grid = false;
  plot::add_heatmap(axes, density_on(law, extent, 140), extent,
                    {.map = warm_map(theme), .colour_bar = false, .smooth = true});
  add_box(axes, square(2), theme.series(3));
}

/// The density along the line through the modes, at the signed distance from the origin.
Tensor along_the_modes(const GaussianMixture& law, const Tensor& distance) {
  const Tensor x = (distance / std::sqrt(2.0)).unsqueeze(1).expand({-1, 2});
  return law.log_density(x).exp();
}

Scene figure_4_2(Workshop&, const Rng&, const Settings& set) {
  const double smoothing_sigma = set.real("sigma");
  const GaussianMixture data = named_mixture("two-modes");
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 350, 1, 3);
    draw_density(figure.axes(0, 0), theme, data);
    figure.axes(0, 0).title = "\\mu";
    figure.axes(0, 0).y.label = "x_2";
    draw_density(figure.axes(0, 1), theme, data.noised(1, smoothing_sigma));
    figure.axes(0, 1).title = fmt::format("\\mu_\\sigma, \\sigma = {}", smoothing_sigma);
    auto& profile = figure.axes(0, 2);
    profile.title = "along the diagonal";
    profile.x = {.label = "distance from the middle", .limits = plot::Range{-14, 14}};
    profile.y = {.label = "density", .limits = plot::Range{1e-13, 1}, .scale = plot::Scale::logarithmic};
    const Tensor distance = linspace({-14, 14}, 400);
    for (size_t i = 0; const double sigma : {0.0, smoothing_sigma / 2, smoothing_sigma})
      plot::add_line(profile, distance, along_the_modes(data.noised(1, sigma), distance),
                     {.label = fmt::format("\\sigma = {}", sigma), .colour = theme.series(i++), .width = 2});
    const double edge = 2 * std::sqrt(2.0);
    for (const double x : {-edge, edge}) add_vertical(profile, x, theme.series(3));
    return figure;
  })};
}

}  // namespace

void add_s2_toy(Items& items) {
  items.push_back(
      {.id = "s2.figure-4-1",
       .title = "A score is learned where the data is",
       .source = "S2, Figure 4.1 (Song and Ermon 2019, Figure 2)",
       .caption =
           "The score of μ_σ = μ ∗ N(0, σ² I), μ = 1/5 N((−5, −5), I) + 4/5 N((5, 5), I), σ = 0.5, and that "
           "of "
           "a network which saw 1280 draws from μ, noised by σ (equation 4.4: it is the score of μ_σ that it "
           "learns, and not that of μ), over the density of μ; the longer the arrow, the "
           "larger the square root of the score. In the boxes the two agree. In the valley and the empty "
           "corners, where no data tells the network anything, they do not: the third panel shows by how "
           "much.",
       .alt =
           "Two fields of arrows over two orange spots. In boxes around the spots the fields agree; between "
           "them and in the other corners the arrows differ. A third panel shows the error, small in the "
           "boxes.",
       .kind = Kind::figure,
       .prepare = figure_4_1,
       .settings = {Setting::real("sigma", Workshop::toy_noise, 0.1, 10, "deviation of the noise"),
                    Setting::integer("n", 1280, 50, 100'000, "draws that the network sees")},
       .caption_when_set =
           "The score of μ_σ = μ ∗ N(0, σ² I), μ = 1/5 N((−5, −5), I) + 4/5 N((5, 5), I), and that of a "
           "network which saw draws from μ, noised by σ (equation 4.4), over the density of μ, with the σ or "
           "the number of draws that was set; the longer the arrow, the larger the square root of the score. "
           "The third panel shows where the two differ and by how much.",
       .alt_when_set = "Two fields of arrows over two orange spots, and a third panel with the difference "
                       "between them."});
  items.push_back(
      {.id = "s2.figure-4-2",
       .title = "Noise fills the valley",
       .source = "S2, Figure 4.2",
       .caption =
           "μ and μ ∗ N(0, σ² I): in the highlighted region between the modes the density of the smoothed "
           "law is larger by nine orders of magnitude, so that it is no bottleneck for Langevin dynamics any "
           "more, and data to learn the score from lies there too.",
       .alt =
           "Left: two separate spots with an empty box between them. Middle: one wide cloud that covers the "
           "box. Right: density profiles on a logarithmic axis whose valley rises with the noise.",
       .kind = Kind::figure,
       .prepare = figure_4_2,
       .settings = {Setting::real("sigma", 4, 0.1, 10, "deviation of the noise")},
       .caption_when_set =
           "μ and μ ∗ N(0, σ² I) with the σ that was set, and the densities along the line through the "
           "modes, "
           "also with half of that σ: how much the noise fills the highlighted region between the modes.",
       .alt_when_set = "Left: two separate spots with an empty box between them. Middle: the smoothed law. "
                       "Right: density profiles on a logarithmic axis."});
}

}  // namespace fokker::gallery
