// S1, "OU forward process" to "Sampling from the model".
#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/process/noising.h"
#include "fokker/sample/method/ancestral/ancestral.h"
#include "fokker/target/toys.h"

namespace fokker::gallery {
namespace {

/// The table of both pictures: 200 steps unless a reader has another.
Setting slides_table() {
  return Setting::betas([] { return BetaTable::linear(200, 5e-4, 0.1).beta; },
                        "linear:steps=200,first=0.0005,last=0.1");
}

Scene chain(Workshop&, const Rng& rng, const Settings& set) {
  const int64_t n = 700, chain_steps = static_cast<int64_t>(set.betas().size());
  const GaussianProcess process = BetaTable{set.betas()};
  const Tensor moons = make_target("moons")->sample(n, rng.stream("data"));
  const Tensor data = (moons - moons.mean(0)) / moons.std();
  const AnalyticDenoiser exact(GaussianMixture::empirical(data), process);
  const Tensor forward = noising_paths(process, data, uniform_times(0, 1, chain_steps),
                                       rng.stream("forward").noise_source(at::kDouble));
  const Tensor start = rng.stream("start").normal({n, 2}, {}, at::kDouble);
  const Tensor backward = sampled_paths(exact, Ancestral(Ancestral::Variance::transition),
                                        TimeGrid::uniform(chain_steps), start, rng.stream("backward"))
                              .flip(0);
  const std::vector<int64_t> shown = {0, (chain_steps + 19) / 20, (3 * chain_steps + 19) / 20,
                                      (7 * chain_steps + 19) / 20, chain_steps};
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 420, 2, 5);
    for (int row = 0; row < 2; ++row)
      for (int column = 0; column < 5; ++column) {
        auto& axes = figure.axes(row, column);
        const int64_t t = shown[static_cast<size_t>(column)];
        axes.title = row == 0 ? fmt::format("x_t, t = {}", t) : "";
        axes.x = {.limits = plot::Range{-4.2, 4.2}, .ticks = false};
        axes.y = {.label = column > 0 ? ""
                           : row == 0 ? "forward"
                                      : "backward",
                  .limits = plot::Range{-4.2, 4.2},
                  .ticks = false};
        axes.equal_aspect = true;
        plot::add_scatter(axes, (row == 0 ? forward : backward)[t],
                          {.colour = theme.series(static_cast<size_t>(row)), .radius = 1.5, .alpha = 0.6});
      }
    return figure;
  })};
}

/// The coefficients of q(x_{t-1} | x_t, x_0), t = 1..T.
Scene posterior(Workshop&, const Rng&, const Settings& set) {
  const GaussianProcess process = BetaTable{set.betas()};
  const auto chain_steps = static_cast<int64_t>(set.betas().size());
  std::vector<double> steps, data, state, variance_ratio;
  for (int64_t i = 1; i <= chain_steps; ++i) {
    const auto steps_count = static_cast<double>(chain_steps);
    const double s = static_cast<double>(i - 1) / steps_count, t = static_cast<double>(i) / steps_count;
    const PosteriorCoefficients q = process.posterior(s, t);
    steps.push_back(static_cast<double>(i));
    data.push_back(q.data);
    state.push_back(q.state);
    variance_ratio.push_back(q.variance / process.transition(s, t).variance);
  }
  const auto numbers = [](const std::vector<double>& values) { return at::tensor(values, at::kDouble); };
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 900, 380, 1, 2);
    const auto add = [&](int column, const char* label, const std::vector<double>& values, size_t colour) {
      plot::add_line(figure.axes(0, column), numbers(steps), numbers(values),
                     {.label = label, .colour = theme.series(colour), .width = 2});
    };
    figure.axes(0, 0).title = "weights in the mean of x_{t-1}";
    figure.axes(0, 0).x.label = figure.axes(0, 1).x.label = "t";
    add(0, "of X_0", data, 0);
    add(0, "of X_t", state, 1);
    figure.axes(0, 1).title = "variance of x_{t-1} given X_t and X_0, over \\beta_t";
    add(1, "", variance_ratio, 0);
    return figure;
  })};
}

}  // namespace

void add_s1_chain(Items& items) {
  items.push_back(
      {.id = "s1.chain",
       .title = "Noising and denoising",
       .source = "S1, \"Diffusion Generative Models: Idea\" to \"Backward/Denoising process\"",
       .caption =
           "Above: 700 points noised by q(x_t | x_{t-1}) with T = 200 and β from 0.0005 to 0.1. Below: the "
           "chain run backwards from N(0, I) with variances β_t and the exact E[ε | x_t] of those 700 "
           "points, "
           "which is what a perfectly trained ε_θ would say, so that it ends on them. The slides' density "
           "p_θ(x_{t-1} | x_t) has the argument x_{t-1}, not x_t, and the variance in \"Sampling from the "
           "model\" is β_t, not β_T.",
       .alt =
           "Two rows of five panels. Above, two interleaved half circles dissolve into a round cloud; below, "
           "the cloud becomes the two half circles again.",
       .kind = Kind::figure,
       .prepare = chain,
       .settings = {slides_table()},
       .caption_when_set =
           "Above: 700 points noised by q(x_t | x_{t-1}) with the β that were set. Below: the chain run "
           "backwards from N(0, I) with variances β_t and the exact E[ε | x_t] of those 700 points, which is "
           "what a perfectly trained ε_θ would say. The slides' density p_θ(x_{t-1} | x_t) has the argument "
           "x_{t-1}, not x_t, and the variance in \"Sampling from the model\" is β_t, not β_T.",
       .alt_when_set = "Two rows of five panels: above, two interleaved half circles are noised step by "
                       "step; below, the chain runs back from a round cloud."});
  items.push_back(
      {.id = "s1.posterior",
       .title = "Where one step back lies",
       .source = "S1, \"Simplifying the objective V\"",
       .caption =
           "The mean of x_{t-1} given X_t and X_0 leans on X_0 near the data and almost only on X_t far from "
           "it: the small perturbation of a large input that the slides speak of. Its variance is less than "
           "the β_t with which the model samples, markedly so near the data alone.",
       .alt = "Left: the weight of X_0 falls from 1 to near 0 while that of X_t rises. Right: a ratio that "
              "rises "
              "from 0 to nearly 1 within the first steps.",
       .kind = Kind::figure,
       .prepare = posterior,
       .settings = {slides_table()},
       .caption_when_set =
           "The two weights in the mean of x_{t-1} given X_t and X_0, and its variance over β_t, for the β "
           "that were set. At t = 1 the mean is X_0 itself and the variance zero.",
       .alt_when_set = "Left: the weights of X_0 and of X_t over t. Right: the ratio of the variances, which "
                       "rises from 0."});
}

}  // namespace fokker::gallery
