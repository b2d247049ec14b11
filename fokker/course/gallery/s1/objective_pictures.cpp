// S1, "Bringing everything together" and "Practical Models".
#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/nn/time_embedding.h"
#include "fokker/objective/weighting.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::gallery {
namespace {

Scene weights(Workshop&, const Rng&, const Settings& set) {
  const auto steps = static_cast<int64_t>(set.betas().size());
  const GaussianProcess process = BetaTable{set.betas()};
  const Tensor t = at::arange(1, steps + 1, at::kDouble);
  Tensor likelihood = at::empty_like(t), simple = at::empty_like(t);
  for (int64_t i = 0; i < steps; ++i) {
    const double time = static_cast<double>(i + 1) / static_cast<double>(steps);
    likelihood[i] = Weighting::likelihood()(Prediction::noise(), process.schedule().model(), time);
    simple[i] = Weighting::simple()(Prediction::noise(), process.schedule().model(), time);
  }
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 400);
    auto& axes = figure.axes();
    axes.x.label = "t";
    axes.y = {.label = "weight of |\\epsilon - \\epsilon_\\theta|^2, mean 1",
              .scale = plot::Scale::logarithmic};
    plot::add_line(axes, t, likelihood / likelihood.mean(),
                   {.label = "step 4: the likelihood's", .colour = theme.series(0), .width = 2});
    plot::add_line(axes, t, simple / simple.mean(),
                   {.label = "step 5: none", .colour = theme.series(1), .width = 2});
    return figure;
  })};
}

Scene embedding(Workshop&, const Rng&) {
  const int64_t size = 16, columns = 400;
  const Tensor values = fourier_embedding(linspace({0, 1}, columns), size).t().contiguous();
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 380);
    auto& axes = figure.axes();
    axes.x = {.label = "t / T", .limits = plot::Range{0, 1}};
    axes.y = {.label = "k", .limits = plot::Range{0.5, size + 0.5}};
    axes.grid = false;
    plot::add_heatmap(
        axes, values, {{0, 1}, {0.5, size + 0.5}},
        {.map = plot::ColourMap::diverging(), .range = plot::Range{-1, 1}, .label = "sin(2\\pi k t / T)"});
    return figure;
  })};
}

}  // namespace

void add_s1_objective(Items& items) {
  items.push_back(
      {.id = "s1.weights",
       .title = "What leaving out the weights changes",
       .source = "S1, \"Bringing everything together\", steps 4 and 5",
       .caption =
           "β_t / (2 (1 − β_t)(1 − ᾱ_t)) for Ho et al.'s chain (T = 1000, β from 0.0001 to 0.02), scaled to "
           "a "
           "mean of one, beside the final objective, which leaves it out: the likelihood "
           "weighs the first steps, where little noise is left, up to fifty times as much.",
       .alt = "On a logarithmic axis the weight of step 4 falls steeply from 50 at t = 1 to half the "
              "constant of "
              "step 5, and rises to it again towards t = 1000.",
       .kind = Kind::figure,
       .prepare = weights,
       .settings = {Setting::betas([] { return BetaTable::linear(1000).beta; },
                                   "linear:steps=1000,first=0.0001,last=0.02")},
       .caption_when_set =
           "β_t / (2 (1 − β_t)(1 − ᾱ_t)) for the β that were set, scaled to a mean of one, beside the final "
           "objective, which leaves it out.",
       .alt_when_set = "On a logarithmic axis the weight of step 4 over t, and the constant of step 5."});
  items.push_back(
      {.id = "s1.embedding",
       .title = "The time as a network sees it",
       .source = "S1, \"Practical Models\"",
       .caption = "φ = (sin(2π t/T), sin(4π t/T), sin(6π t/T), ...): each column is the vector of one "
                  "time. With sines alone every φ vanishes at t = 0, T/2 and T alike, which is why "
                  "cosines are commonly added.",
       .alt = "A striped image in red and blue whose stripes get finer from the lowest row to the "
              "highest.",
       .kind = Kind::figure,
       .prepare = embedding});
}

}  // namespace fokker::gallery
