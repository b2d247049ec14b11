// S3, section 1.2.1: the losses that the notebook's bound and training are made of, term by term.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/objective/elbo.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::gallery {
namespace {

/// Per step 1..200: the least possible E|eps - eps_theta|^2 and the trained network's.
struct StepLosses {
  Tensor least, learned;
};

StepLosses step_losses(Workshop& shop) {
  const GradientMode off(false);
  const Notebook& book = shop.notebook();
  StepLosses losses{at::empty({Notebook::steps}, at::kDouble), at::empty({Notebook::steps}, at::kDouble)};
  for (int64_t i = 0; i < Notebook::steps; ++i) {
    const double t = Notebook::time(static_cast<double>(i + 1));
    const double reach = 15 * book.process().alpha(t) + 8 * book.process().sigma(t);
    const int64_t nodes = 4001;
    const Tensor x = linspace({-reach, reach}, nodes), column = x.unsqueeze(1);
    const Tensor weights = density_on(book.exact.marginal(t), x) * (2 * reach / (nodes - 1));
    const Tensor exact = book.exact.estimate(column, t).noise().squeeze(1);
    const Tensor learned = shop.noise_network().estimate(column.to(at::kFloat), t).noise().squeeze(1);
    losses.least[i] = 1 - (weights * exact.square()).sum();
    losses.learned[i] = losses.least[i] + (weights * (learned.to(at::kDouble) - exact).square()).sum();
  }
  return losses;
}

Scene loss(Workshop& shop, const Rng&) {
  const StepLosses losses = step_losses(shop);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 420);
    auto& axes = figure.axes();
    axes.x = {.label = "t", .limits = plot::Range{0, Notebook::steps}};
    axes.y = {.label = "E |\\epsilon - \\epsilon_\\theta(x_t, t)|^2",
              .limits = plot::Range{1e-5, 2},
              .scale = plot::Scale::logarithmic};
    const Tensor t = linspace({1, Notebook::steps}, Notebook::steps);
    plot::add_line(axes, t, losses.learned,
                   {.label = "trained network", .colour = theme.series(0), .width = 2});
    plot::add_line(axes, t, losses.least.clamp_min(1e-9),
                   {.label = "least possible", .colour = theme.series(1), .width = 2});
    return figure;
  })};
}

/// Mean terms of the negative bound on log p(x_0) in nats.
struct BoundTerms {
  Tensor times, divergences;  ///< (199)
  double reconstruction, prior;
  double total() const { return reconstruction + divergences.sum().item<double>() + prior; }
};

BoundTerms bound_terms(const Denoiser& denoiser, const Tensor& x0, const Rng& rng) {
  const GradientMode off(false);
  const ElboTerms terms = elbo_terms(denoiser, x0, {.steps = Notebook::steps}, rng);
  const auto mean = [](const Tensor& rows) { return rows.to(at::kDouble).mean().item<double>(); };
  const Tensor times = at::tensor(terms.times, at::kDouble).slice(0, 1);
  return {times * Notebook::steps, terms.divergences.to(at::kDouble).mean(1), mean(terms.reconstruction),
          mean(terms.prior)};
}

Scene bound(Workshop& shop, const Rng& rng) {
  const Tensor x0 = shop.notebook().exact.target().means().repeat({1000, 1});
  const BoundTerms exact = bound_terms(shop.notebook().exact, x0, rng);
  const BoundTerms learned = bound_terms(shop.noise_network(), x0.to(at::kFloat), rng);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 420, 1, 2);
    auto& left = figure.axes(0, 0);
    left.title = "KL of each step back";
    left.x = {.label = "t", .limits = plot::Range{0, Notebook::steps}};
    left.y = {.label = "nats", .limits = plot::Range{1e-4, 1}, .scale = plot::Scale::logarithmic};
    auto& right = figure.axes(0, 1);
    right.title = "the bound, summed up";
    right.x = {.limits = plot::Range{0.4, 4.6},
               .names = {{1, "reconstruction"}, {2, "steps' KLs"}, {3, "prior's KL"}, {4, "all"}}};
    right.y.label = "nats";
    size_t series = 0;
    for (const auto& [name, terms] :
         {std::pair{"exact E[\\epsilon | x_t]", exact}, std::pair{"trained network", learned}}) {
      const plot::Colour colour = theme.series(1 - series);
      plot::add_line(left, terms.times, terms.divergences.clamp_min(1e-9),
                     {.label = name, .colour = colour, .width = 1.8});
      const Tensor heights = at::tensor(
          {terms.reconstruction, terms.divergences.sum().item<double>(), terms.prior, terms.total()},
          at::kDouble);
      plot::add_bars(right, linspace({1, 4}, 4) + (series == 0 ? -0.18 : 0.18), heights,
                     {.label = name, .colour = colour, .width = 0.34});
      ++series;
    }
    return figure;
  })};
}

}  // namespace

void add_s3_loss(Items& items) {
  items.push_back(
      {.id = "s3.loss",
       .title = "The loss of each step, and the least possible",
       .source = "S3, section 1.2.1, \"Learning ε_θ\"; S1, \"Final objective\"",
       .caption =
           "No network can do better than E[ε | x_t], whose loss is 1 − E|E[ε | x_t]|²: almost nothing while "
           "the four points can be told apart, and again late, when x_t is all noise and says ε itself. In "
           "between it is not small, however well trained; only the distance from it tells of the network.",
       .alt = "The least loss rises from below the picture to a hump and falls again; the network's lies "
              "above it "
              "by a margin that is widest at small t.",
       .kind = Kind::figure,
       .prepare = loss});
  items.push_back(
      {.id = "s3.elbo",
       .title = "The evidence lower bound, term by term",
       .source = "S3, section 1.2.1; S1, \"Learning the model II\"",
       .caption =
           "The terms of −ELBO in nats for the exact denoiser and the trained network: reconstruction, "
           "KL[q(x_{t−1} | x_t, x_0) ‖ p(x_{t−1} | x_t)] for each t > 1, and the KL to the prior. What the "
           "exact denoiser pays at the smallest t is for sampling with β_t, where the posterior's variance "
           "is smaller. Each term is a mean over 4000 draws of x_t, the same for both: hence the small "
           "jitter of "
           "the curves. The notebook's derivation lacks the logarithm in two lines, and its sum of KLs must "
           "start at t = 2: the term t = 1 is the reconstruction.",
       .alt = "Left: the KL terms over t on a logarithmic axis for the exact denoiser and the network. "
              "Right: bars of the reconstruction, the sum of the terms, the prior and the whole bound.",
       .kind = Kind::figure,
       .prepare = bound});
}

}  // namespace fokker::gallery
