// S3, sections 2 and 3: denoising, white noise and Brownian motion.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/sde/brownian.h"

namespace fokker::gallery {
namespace {

Scene noise_paths(Workshop&, const Rng& rng) {
  const std::vector<double> times = uniform_times(0, 25, 250);
  const Tensor motion = brownian_paths(400, 1, times, rng).squeeze(2).t().contiguous();
  const Tensor white = white_noise(10, 1, times, rng).squeeze(2).t().contiguous();
  // A path that is typical at the end: of those between half and one deviation, the first. At 25 a third of
  // all paths lie outside the envelope, and one of these would look like an error.
  const Tensor ends = motion.select(1, -1).abs();
  const Tensor shown = motion[(ends > 2.5).logical_and(ends < 5).to(at::kLong).argmax()];
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 620, 2, 1);
    const Tensor t = at::tensor(times, at::kDouble);
    auto& upper = figure.axes(0, 0);
    upper.title = "white noise, averaged over 0.1 of time";
    upper.x.limits = plot::Range{0, 25};
    upper.y.label = "w_t";
    plot::add_lines(upper, t.slice(0, 1), white.slice(0, 1),
                    {.colour = theme.series(0), .width = 0.8, .alpha = 0.3});
    plot::add_line(upper, t.slice(0, 1), white[0],
                   {.label = "one path", .colour = theme.series(3), .width = 1.3});
    auto& lower = figure.axes(1, 0);
    lower.title = "Brownian motion";
    lower.x = {.label = "t", .limits = plot::Range{0, 25}};
    lower.y.label = "B_t";
    plot::add_lines(lower, t, motion.slice(0, 1), {.colour = theme.series(0), .width = 0.7, .alpha = 0.12});
    plot::add_line(lower, t, shown, {.label = "one path", .colour = theme.series(3), .width = 1.8});
    plot::add_line(lower, t, t.sqrt(),
                   {.label = "± one standard deviation, \\sqrt t",
                    .colour = theme.series(2),
                    .width = 2.5,
                    .dash = plot::Dash::dashed});
    plot::add_line(lower, t, -t.sqrt(),
                   {.colour = theme.series(2), .width = 2.5, .dash = plot::Dash::dashed});
    return figure;
  })};
}

/// E[s | x] for x = s + n, n ~ N(0, q): directly, and as x + q times the score of x.
struct Shrinkage {
  std::string name;
  GaussianMixture signal;
};

/// Half the width that shows the observations of a signal, no less than the usual picture's.
double half_width_of(const GaussianMixture& observed) {
  const double deviation = std::sqrt(observed.covariance().item<double>());
  return std::max(5.0, std::abs(observed.mean().item<double>()) + 2.5 * deviation);
}

Scene tweedie(Workshop&, const Rng&, const Settings& set) {
  const double q = set.real("variance");
  const bool changed = set.changed("target") || set.changed("variance");
  const double half = changed ? half_width_of(set.law().noised(1, std::sqrt(q))) : 5;
  const std::vector<Shrinkage> signals = {
      {"N(0, 1)", GaussianMixture::standard_normal(1)},
      {set.changed("target") ? "yours" : "two bumps", set.law()},
      {"points -2 and 2", GaussianMixture::empirical(at::tensor({-2.0, 2.0}, at::kDouble).unsqueeze(1))}};
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 460);
    auto& axes = figure.axes();
    const Tensor x = linspace({-half, half}, 401);
    double height = 4;
    axes.x = {.label = "noisy observation x", .limits = plot::Range{-half, half}};
    plot::add_line(axes, x, x, {.colour = theme.muted, .width = 1, .dash = plot::Dash::dotted});
    for (size_t i = 0; i < signals.size(); ++i) {
      const GaussianMixture& s = signals[i].signal;
      const Tensor mean = s.posterior(x.unsqueeze(1), 1, std::sqrt(q)).denoised.squeeze(1);
      if (changed) height = std::max(height, 1.06 * mean.abs().max().item<double>());
      plot::add_line(axes, x, mean,
                     {.label = "s from " + signals[i].name, .colour = theme.series(i), .width = 2});
      const Tensor some = x.slice(0, 10, {}, 20).unsqueeze(1);  // none on the frame
      const Tensor by_score = some + q * s.noised(1, std::sqrt(q)).score(some);
      plot::add_scatter(axes, at::cat({some, by_score}, 1),
                        {.colour = theme.series(i), .radius = 3.5, .alpha = 1});
    }
    axes.y = {.label = "E[s | x]", .limits = plot::Range{-height, height}};
    return figure;
  })};
}

}  // namespace

void add_s3_noise(Items& items) {
  items.push_back(
      {.id = "s3.tweedie",
       .title = "Tweedie's formula",
       .source = "S3, sections 2.1 to 2.4",
       .caption =
           "The best reconstruction of a signal s from x = s + n, n ~ N(0, 1), for three laws of s: lines by "
           "Bayes' rule, dots by x + Q ∇ log p(x). For a normal signal it is the line K x, K = P/(P + Q); "
           "for "
           "two points it is a soft decision between them. Dotted: x itself.",
       .alt = "Three curves of E[s given x], one straight and two S-shaped, with dots exactly on them.",
       .kind = Kind::figure,
       .prepare = tweedie,
       .settings = {two_bumps_setting(), Setting::real("variance", 1, 0.05, 10, "variance of the noise")},
       .caption_when_set =
           "The best reconstruction of a signal s from x = s + n, n normal, for three laws of s, with the "
           "law "
           "or the variance of the noise that was set: lines by Bayes' rule, dots by x + Q ∇ log p(x). For a "
           "normal signal it is the line K x, K = P/(P + Q); for two points it is a soft decision between "
           "them. Dotted: x itself.",
       .alt_when_set = "Three curves of E[s given x] with dots exactly on them."});
  items.push_back(
      {.id = "s3.noise",
       .title = "White noise and Brownian motion",
       .source = "S3, section 3, \"Wiener process\" and \"Brownian motion\"",
       .caption =
           "Ten paths of white noise, one in red, and 400 Brownian paths with the envelope ±√t, inside which "
           "a path is for two thirds of the time; the red one ends there. The notebook "
           "sums W·dt where increments are W·√dt, and starts at 1, so its paths stay far inside the "
           "envelope; "
           "its \"Wiener process\" is white noise (the Wiener process is Brownian motion itself).",
       .alt =
           "Above, jagged lines without memory around zero. Below, a fan of paths from zero that mostly stay "
           "within a dashed parabola on its side.",
       .kind = Kind::figure,
       .prepare = noise_paths});
}

}  // namespace fokker::gallery
