// S3, sections 3.1 to 3.3: the reverse SDE, the score and the probability flow of the four points.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/trajectories.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/sample/method/sde/euler_maruyama.h"

namespace fokker::gallery {
namespace {

/// Paths (n, 401) with x_t at t = 0, 0.5, ..., 200.
Tensor backward_paths(const Notebook& book, const Sampler& sampler, int64_t n, int64_t steps,
                      const Rng& rng) {
  const Tensor start = rng.stream("start").normal({n, 1}, {}, at::kDouble);
  return sampled_paths(book.exact, sampler, TimeGrid::uniform(steps), start, rng.stream("noise"), steps / 400)
      .squeeze(2)
      .flip(0)
      .t()
      .contiguous();
}

Tensor sde_paths(const Rng& rng, const Settings& set) {
  return backward_paths(notebook_with(set), EulerMaruyama(), 200, 4000, rng);
}

Tensor ode_paths(const Rng& rng, const Settings& set) {
  return backward_paths(notebook_with(set), Euler(), 250, 2000, rng);
}

/// The paths from t = 200 down to the column `from`.
plot::Figure draw_backward(const plot::Theme& theme, const Tensor& paths, double reach, int64_t from) {
  plot::Figure figure = page(theme, 820, 430);
  auto& axes = figure.axes();
  axes.x = {.label = "t (time runs from right to left)", .limits = plot::Range{0, Notebook::steps}};
  axes.y = {.label = "x_t", .limits = plot::Range{-reach, reach}};
  const Tensor t = linspace(*axes.x.limits, paths.size(1));
  const int64_t last = std::min(from, paths.size(1) - 2);
  // In the order of the simulation, so that the dots mark where the particles are.
  plot::add_trajectories(axes, t.slice(0, last).flip(0), paths.slice(1, last).flip(1),
                         {.colour = theme.muted, .highlighted = 4});
  return figure;
}

Scene still_of(const Tensor& paths, const Settings& set) {
  const double reach = reach_of(set.law()) + 2;
  return {one_picture([=](const plot::Theme& theme) { return draw_backward(theme, paths, reach, 0); })};
}

Scene film_of(const Tensor& paths, const Settings& set) {
  const double reach = reach_of(set.law()) + 2;
  const int64_t frames = 81;
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    const int64_t from = 5 * (frames - 1 - frame);
    plot::Figure figure = draw_backward(theme, paths, reach, from);
    figure.axes().title = fmt::format("t = {:.1f}", 0.5 * static_cast<double>(from));
    return figure;
  };
  return {.draw = draw, .frames = frames, .still = frames - 1};
}

Scene score(Workshop&, const Rng&, const Settings& set) {
  const AnalyticDenoiser exact = notebook_with(set).exact;
  const double reach = reach_of(exact.target()) + 3;
  const Tensor x = linspace({-reach, reach}, 901);
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    const GaussianMixture law = exact.marginal(Notebook::time(static_cast<double>(2 * (frame + 1))));
    plot::Figure figure = page(theme, 900, 400, 1, 2);
    auto& left = figure.axes(0, 0);
    left.title = fmt::format("t = {}", 2 * (frame + 1));
    left.x = {.label = "x", .limits = plot::Range{-reach, reach}};
    left.y.label = "score \\nabla log q_t(x)";
    plot::add_line(left, x, law.score(x.unsqueeze(1)).squeeze(1), {.colour = theme.series(0), .width = 2});
    plot::add_line(left, x, at::zeros_like(x), {.colour = theme.muted, .width = 0.8});
    auto& right = figure.axes(0, 1);
    right.title = "log q_t(x), whose slope it is";
    right.x = {.label = "x", .limits = plot::Range{-reach, reach}};
    right.y.label = "log q_t(x)";
    plot::add_line(right, x, law.log_density(x.unsqueeze(1)), {.colour = theme.series(1), .width = 2});
    return figure;
  };
  return {.draw = draw, .frames = 100, .still = 14};
}

const char* const backward_alt =
    "paths that leave a bundle around zero on the right and end at the four levels −15, −5, 1 and 15 on the "
    "left";
const char* const backward_alt_when_set =
    "paths that leave a bundle around zero on the right and end at the data on the left";

void add_backward_sde(Items& items) {
  items.push_back(
      {.id = "s3.sde",
       .title = "The backward SDE with the exact score",
       .source = "S3, section 3.2, \"The backward flow\"",
       .caption =
           "200 paths of dx = [−β x/2 − β ∇ log q_t] dt + √β dB from N(0, 1), 4000 Euler–Maruyama steps, "
           "four "
           "highlighted. The score is that of the four points with equal weights, at the very time of the "
           "step; the notebook's is that of its 100 draws, at whole steps.",
       .alt = fmt::format("Noisy {}.", backward_alt),
       .kind = Kind::figure,
       .prepare = [](Workshop&, const Rng& rng,
                     const Settings& set) { return still_of(sde_paths(rng, set), set); },
       .settings = {four_points_setting()},
       .caption_when_set = "200 paths of dx = [−β x/2 − β ∇ log q_t] dt + √β dB from N(0, 1), 4000 "
                           "Euler–Maruyama steps, four "
                           "highlighted, with the exact score of the law that was set.",
       .alt_when_set = fmt::format("Noisy {}.", backward_alt_when_set)});
  items.push_back({.id = "s3.sde-film",
                   .title = "The same, as it runs",
                   .source = "S3, section 3.2, the animation after \"The backward flow\"",
                   .caption =
                       "For most of the time the particles are one cloud, and which point each will reach is "
                       "settled late: "
                       "at t = 100 the best guess is right for 61 % of them, at t = 20 for nearly all.",
                   .alt = fmt::format("Animation: noisy {}.", backward_alt),
                   .kind = Kind::animation,
                   .prepare = [](Workshop&, const Rng& rng,
                                 const Settings& set) { return film_of(sde_paths(rng, set), set); },
                   .settings = {four_points_setting()},
                   .caption_when_set =
                       "The same paths as they run: which part of the data each will reach is settled late.",
                   .alt_when_set = fmt::format("Animation: noisy {}.", backward_alt_when_set)});
}

void add_score_over_time(Items& items) {
  items.push_back(
      {.id = "s3.score",
       .title = "The score over time",
       .source = "S3, section 3.2, \"Backward flow in time\"",
       .caption =
           "∇ log q_t(x) and log q_t(x). Early it is steep, a fall of slope −1/(1 − ᾱ_t) through each point; "
           "late it is −x. The notebook's animation evaluates the score at the frame's number and not at the "
           "time in its title, and so shows only the first half; both vertical axes follow the curves.",
       .alt = "Animation: a saw tooth flattens into the line −x, beside four hills of log density that merge "
              "into "
              "one parabola.",
       .kind = Kind::animation,
       .prepare = score,
       .settings = {four_points_setting()},
       .caption_when_set = "∇ log q_t(x) and log q_t(x) of the law that was set. Late the score is −x. The "
                           "notebook's animation "
                           "evaluates the score at the frame's number and not at the time in its title, and "
                           "so shows only the "
                           "first half; both vertical axes follow the curves.",
       .alt_when_set =
           "Animation: the score over x flattens into the line −x, beside log densities that become one "
           "parabola."});
}

void add_backward_ode(Items& items) {
  items.push_back(
      {.id = "s3.ode",
       .title = "The probability-flow ODE",
       .source = "S3, section 3.3, \"ODE flow implementation\"",
       .caption =
           "The same marginals without noise: 250 starts from N(0, 1) along dx/dt = −β/2 (x + ∇ log q_t), "
           "2000 Euler steps. Paths do not cross, so that the order of the starts decides which point "
           "each reaches.",
       .alt = fmt::format("Smooth {}; no two of them cross.", backward_alt),
       .kind = Kind::figure,
       .prepare = [](Workshop&, const Rng& rng,
                     const Settings& set) { return still_of(ode_paths(rng, set), set); },
       .settings = {four_points_setting()},
       .caption_when_set = "The same marginals without noise: 250 starts from N(0, 1) along dx/dt = −β/2 (x "
                           "+ ∇ log q_t), 2000 "
                           "Euler steps, for the law that was set. Paths do not cross, so that the order of "
                           "the starts is that "
                           "of the ends.",
       .alt_when_set = fmt::format("Smooth {}; no two of them cross.", backward_alt_when_set)});
  items.push_back(
      {.id = "s3.ode-film",
       .title = "The same, as it runs",
       .source = "S3, section 3.3",
       .caption = "The quarters of the starts, in their order, go to the four points.",
       .alt = fmt::format("Animation: smooth {}.", backward_alt),
       .kind = Kind::animation,
       .prepare = [](Workshop&, const Rng& rng,
                     const Settings& set) { return film_of(ode_paths(rng, set), set); },
       .settings = {four_points_setting()},
       .caption_when_set =
           "The same paths as they run; the starts, in their order, go to the data in their order.",
       .alt_when_set = fmt::format("Animation: smooth {}.", backward_alt_when_set)});
}

}  // namespace

void add_s3_sde(Items& items) {
  add_backward_sde(items);
  add_score_over_time(items);
  add_backward_ode(items);
}

}  // namespace fokker::gallery
