// S3, section 1.1.3: the forward flow of four points.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/trajectories.h"
#include "fokker/process/noising.h"

namespace fokker::gallery {
namespace {

/// `each` particles from each of the points in turn, or 4 each of a mixture, at the steps 0 to 200: (201, 4
/// each).
Tensor forward_particles(const Notebook& book, int64_t each, const Rng& rng) {
  const GaussianMixture& data = book.exact.target();
  const Tensor start = data.is_discrete() && data.components() == 4
                           ? data.means().repeat({each, 1})
                           : data.sample(4 * each, rng.stream("data"));
  return noising_paths(book.process(), start, uniform_times(0, 1, Notebook::steps),
                       rng.noise_source(at::kDouble))
      .squeeze(2);
}

/// Mean and deviation of x_t at the steps 0 to 200.
struct ForwardLaw {
  Tensor mean, deviation;
};

ForwardLaw forward_law(const Notebook& book) {
  ForwardLaw law{at::empty({Notebook::steps + 1}, at::kDouble),
                 at::empty({Notebook::steps + 1}, at::kDouble)};
  for (int64_t i = 0; i <= Notebook::steps; ++i) {
    const GaussianMixture x = book.exact.marginal(Notebook::time(static_cast<double>(i)));
    law.mean[i] = x.mean()[0];
    law.deviation[i] = x.covariance()[0][0].sqrt();
  }
  return law;
}

Scene forward(Workshop&, const Rng& rng, const Settings& set) {
  const Notebook book = notebook_with(set);
  const Tensor particles = forward_particles(book, 25, rng);
  const ForwardLaw law = forward_law(book);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 820, 430);
    auto& axes = figure.axes();
    axes.x = {.label = "t", .limits = plot::Range{0, Notebook::steps}};
    axes.y.label = "x_t";
    const Tensor t = linspace(*axes.x.limits, Notebook::steps + 1);
    const plot::Colour red = theme.series(3);
    plot::add_band(axes, t, law.mean - 3 * law.deviation, law.mean + 3 * law.deviation,
                   {.label = "\\mu ± 3 standard deviations", .colour = red, .alpha = 0.1});
    plot::add_trajectories(axes, t, particles.t(),
                           {.label = "all particles", .colour = theme.muted, .highlighted = 2});
    plot::add_line(axes, t, law.mean,
                   {.label = "\\mu", .colour = red, .width = 2.5, .dash = plot::Dash::dashed});
    return figure;
  })};
}

Scene histogram(Workshop&, const Rng& rng, const Settings& set) {
  const Notebook book = notebook_with(set);
  const AnalyticDenoiser exact = book.exact;
  const Tensor particles = forward_particles(book, 250, rng);
  const double reach = reach_of(exact.target()) + 3;
  const Tensor x = linspace({-reach, reach}, 1201);
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    const int64_t step = 2 * frame;
    plot::Figure figure = page(theme, 720, 400);
    auto& axes = figure.axes();
    axes.title = fmt::format("t = {}", step);
    axes.x = {.label = "x_t", .limits = plot::Range{-reach, reach}};
    axes.y = {.label = "q_t(x_t)", .limits = plot::Range{0, 0.5}};
    plot::add_histogram(
        axes, particles[step],
        {.label = "1000 particles", .colour = theme.series(0), .bins = 90, .range = axes.x.limits});
    if (step > 0)
      plot::add_line(axes, x, density_on(exact.marginal(Notebook::time(static_cast<double>(step))), x),
                     {.label = "q_t", .colour = theme.series(1), .width = 2});
    return figure;
  };
  return {.draw = draw, .frames = 101, .still = 25};
}

Scene marginal(Workshop&, const Rng& rng, const Settings& set) {
  const Notebook book = notebook_with(set);
  const AnalyticDenoiser& exact = book.exact;
  const double reach = reach_of(exact.target()) + 3;
  const plot::Extent extent{.x = {0, Notebook::steps}, .y = {-reach, reach}};
  const Tensor image = density_over_time(
      [&](const Tensor& x, double t) { return density_on(exact.marginal(t), x); }, extent.y, 200, 240);
  const Tensor particles = forward_particles(book, 1, rng).t().contiguous();
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    const int64_t shown = 2 * frame + 1;
    plot::Figure figure = page(theme, 820, 430);
    auto& axes = figure.axes();
    axes.title = fmt::format("t = {}", shown - 1);
    axes.x = {.label = "t", .limits = plot::Range{0, Notebook::steps}};
    axes.y = {.label = "x_t", .limits = extent.y};
    axes.grid = false;
    plot::add_density_image(axes, image, extent, {.contours = 0, .label = "q_t(x_t) / its maximum"});
    const Tensor t = linspace(*axes.x.limits, Notebook::steps + 1).narrow(0, 0, shown);
    if (shown > 1) plot::add_trajectories(axes, t, particles.narrow(1, 0, shown), {.highlighted = 4});
    return figure;
  };
  return {.draw = draw, .frames = 101, .still = 100};
}

void add_marginal(Items& items) {
  items.push_back(
      {.id = "s3.marginal",
       .title = "The marginal density over time",
       .source = "S3, section 1.1.3, \"Marginal density contourplot\"",
       .caption = "q_t(x_t) over t as an image, each time scaled to its maximum, and four particles "
                  "that move on it: they stay where the density is.",
       .alt = "Animation: four dark branches bend towards zero and merge; coloured paths wander along "
              "them from left to right.",
       .kind = Kind::animation,
       .prepare = marginal,
       .settings = {four_points_setting()},
       .caption_when_set = "q_t(x_t) of the law that was set over t as an image, each time scaled to its "
                           "maximum, and four particles that move on it: they stay where the density is.",
       .alt_when_set = "Animation: the density over time as an image; coloured paths wander along it from "
                       "left to right."});
}

}  // namespace

void add_s3_forward(Items& items) {
  items.push_back(
      {.id = "s3.forward",
       .title = "The forward flow",
       .source = "S3, section 1.1.3, \"Flow demonstration\"",
       .caption =
           "25 particles from each of the four points, x_t = √0.96 x_{t−1} + 0.2 ε_t for 200 steps, two of "
           "them "
           "highlighted, over the closed-form mean ± 3 standard deviations of x_t. The notebook's text names "
           "the points −15, −5, 1, 10; its code, and this picture, use −15, −5, 1, 15.",
       .alt =
           "Noisy paths that start on four levels and mix around zero, inside a band that narrows from about "
           "±35 to ±3.",
       .kind = Kind::figure,
       .prepare = forward,
       .settings = {four_points_setting()},
       .caption_when_set =
           "100 particles of the law that was set, x_t = √0.96 x_{t−1} + 0.2 ε_t for 200 steps, two of them "
           "highlighted, over the closed-form mean ± 3 standard deviations of x_t.",
       .alt_when_set = "Noisy paths that start at the data and mix around zero, inside a band that ends at "
                       "about ±3."});
  items.push_back(
      {.id = "s3.histogram",
       .title = "Particles and their density",
       .source = "S3, section 1.1.3, \"Density animation\"",
       .caption =
           "A histogram of 1000 particles and the mixture q_t(x_t) of four Gaussians with means √ᾱ_t x_0 and "
           "variance 1 − ᾱ_t. The notebook pairs ᾱ_1 with x_0 (its array starts at zero), so its densities "
           "run one step ahead of its particles; here they belong together. Its axis labels, both set as x "
           "labels, are put right.",
       .alt = "Animation: four spikes widen, move to the middle and merge into one bell curve; the histogram "
              "follows the curve.",
       .kind = Kind::animation,
       .prepare = histogram,
       .settings = {four_points_setting()},
       .caption_when_set = "A histogram of 1000 particles of the law that was set, and its q_t(x_t), a "
                           "mixture with the means "
                           "√ᾱ_t m and the variances ᾱ_t v + 1 − ᾱ_t.",
       .alt_when_set = "Animation: the law of the data widens, moves to the middle and becomes one bell "
                       "curve; the histogram follows the curve."});
  add_marginal(items);
}

}  // namespace fokker::gallery
