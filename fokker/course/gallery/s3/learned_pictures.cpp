// S3, section 1.2.1: what the trained network says, and the chain that it drives backwards.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/trajectories.h"
#include "fokker/sample/method/ancestral/ancestral.h"

namespace fokker::gallery {
namespace {

Scene backward(Workshop& shop, const Rng& rng) {
  const Tensor start = rng.stream("start").normal({100, 1});
  const Tensor paths = sampled_paths(shop.noise_network(), Ancestral(Ancestral::Variance::transition),
                                     TimeGrid::uniform(Notebook::steps), start, rng.stream("noise"))
                           .squeeze(2)
                           .flip(0);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 820, 430);
    auto& axes = figure.axes();
    axes.x = {.label = "t (the chain runs from right to left)", .limits = plot::Range{0, Notebook::steps}};
    axes.y.label = "x_t";
    for (const double point : {-15.0, -5.0, 1.0, 15.0})
      plot::add_line(axes, at::tensor({0.0, 200.0}, at::kDouble), at::full({2}, point, at::kDouble),
                     {.colour = theme.muted, .width = 1, .dash = plot::Dash::dotted});
    plot::add_trajectories(axes, linspace(*axes.x.limits, Notebook::steps + 1).flip(0),
                           paths.t().flip(1).to(at::kDouble), {.colour = theme.muted, .highlighted = 4});
    return figure;
  })};
}

/// Curves over x at the steps 2, 4, ..., 200: (frames, k) each.
struct NoiseCurves {
  Tensor x, learned, exact, density;
};
constexpr int64_t noise_frames = 100;
constexpr int64_t step_of_frame(int64_t frame) {
  return 2 * (frame + 1);
}

NoiseCurves noise_curves(Workshop& shop) {
  const GradientMode off(false);
  const Notebook& book = shop.notebook();
  const Tensor x = linspace({-16, 16}, 321), column = x.unsqueeze(1);
  std::vector<Tensor> learned, exact, density;
  for (int64_t frame = 0; frame < noise_frames; ++frame) {
    const double t = Notebook::time(static_cast<double>(step_of_frame(frame)));
    learned.push_back(
        shop.noise_network().estimate(column.to(at::kFloat), t).noise().squeeze(1).to(at::kDouble));
    exact.push_back(book.exact.estimate(column, t).noise().squeeze(1));
    density.push_back(density_on(book.exact.marginal(t), x));
  }
  return {x, at::stack(learned), at::stack(exact), at::stack(density)};
}

/// One frame: a learned curve and the exact one on limits that follow the exact one, over where x_t lies.
plot::Figure noise_frame(const plot::Theme& theme, const NoiseCurves& curves, int64_t frame, double factor,
                         const std::string& label, const std::array<std::string, 2>& names) {
  plot::Figure figure = page(theme, 720, 420);
  auto& axes = figure.axes();
  axes.title = fmt::format("t = {}", step_of_frame(frame));
  const double reach = 1.1 * (std::abs(factor) * curves.exact[frame].abs().max().item<double>());
  axes.x = {.label = "x_t", .limits = plot::Range{-16, 16}};
  axes.y = {.label = label, .limits = plot::Range{-reach, reach}};
  const Tensor height = curves.density[frame] / curves.density[frame].max();
  plot::add_band(axes, curves.x, at::full_like(height, -reach), reach * (0.6 * height - 1),
                 {.label = "q_t(x_t), scaled", .colour = theme.series(0), .alpha = 0.2});
  plot::add_line(axes, curves.x, factor * curves.exact[frame],
                 {.label = names[0], .colour = theme.series(1), .width = 3.5});
  plot::add_line(axes, curves.x, factor * curves.learned[frame],
                 {.label = names[1], .colour = theme.series(0), .width = 1.8});
  return figure;
}

Scene epsilon(Workshop& shop, const Rng&) {
  const NoiseCurves curves = noise_curves(shop);
  return {.draw =
              [=](const plot::Theme& theme, int64_t frame) {
                return noise_frame(theme, curves, frame, 1, "noise",
                                   {"E[\\epsilon | x_t]", "\\epsilon_\\theta(x_t, t)"});
              },
          .frames = noise_frames,
          .still = 14};
}

Scene direction(Workshop& shop, const Rng&) {
  const NoiseCurves curves = noise_curves(shop);
  const GaussianProcess process = shop.notebook().process();
  return {
      .draw =
          [=](const plot::Theme& theme, int64_t frame) {
            const auto step = static_cast<double>(step_of_frame(frame));
            const double beta = process.transition(Notebook::time(step - 1), Notebook::time(step)).variance;
            return noise_frame(theme, curves, frame, -beta / process.sigma(Notebook::time(step)),
                               "mean of \\sqrt\\alpha_t x_{t-1} - x_t", {"exact", "by \\epsilon_\\theta"});
          },
      .frames = noise_frames,
      .still = 14};
}

}  // namespace

void add_s3_learned(Items& items) {
  items.push_back(
      {.id = "s3.backward",
       .title = "The learned backward flow",
       .source = "S3, section 1.2.1, \"Generation: simulating backward in time\"",
       .caption =
           "100 particles from N(0, 1) through the reverse chain with the trained ε_θ, four highlighted; the "
           "data's points are dotted. The notebook adds noise in the last step too, which leaves its samples "
           "0.2 off the points; here, as in the algorithm, the last step adds none.",
       .alt =
           "Paths that spread from a bundle around zero on the right to the four levels −15, −5, 1 and 15 on "
           "the left.",
       .kind = Kind::figure,
       .prepare = backward});
  items.push_back(
      {.id = "s3.epsilon",
       .title = "The estimated noise over time",
       .source = "S3, section 1.2.1, \"The estimated function\"",
       .caption = "ε_θ(x, t) of the trained network on the best possible answer E[ε | x_t = x], over where "
                  "x_t lies. "
                  "Early, the curve is a saw tooth that drops between the points; late, it is the line x. "
                  "They agree where there is data to learn from. The vertical axis follows the curve.",
       .alt = "Animation: a saw tooth with three teeth smooths out into a straight line; the learned curve "
              "lies on the exact one where the density is not small.",
       .kind = Kind::animation,
       .prepare = epsilon});
  items.push_back(
      {.id = "s3.direction",
       .title = "The mean direction over time",
       .source = "S3, section 1.2.1, the last animation",
       .caption =
           "How x_t moves on average, E[√α_t x_{t−1} − x_t | x_t] = −(1 − α_t)/√(1 − ᾱ_t) ε_θ: towards the "
           "points at first, towards zero far from the data. The notebook divides by √α_t once more, "
           "which is right for x_{t−1} − x_t/√α_t, and labels the axis ε_θ.",
       .alt = "Animation: the mirror image of the estimated noise, whose zeros with falling slope are where "
              "particles are drawn to.",
       .kind = Kind::animation,
       .prepare = direction});
}

}  // namespace fokker::gallery
