// S0, Theorem 12.3, and S2, section 4.2: objectives that differ by a constant have one minimiser.
#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/objective/score_matching.h"
#include "fokker/plot/mark/lines.h"

namespace fokker::gallery {
namespace {

/// Mean losses of the scores c grad log p for each c: (k) each.
struct MatchingLosses {
  std::vector<double> c, fisher, implicit, denoising;
};

MatchingLosses matching_losses(const Rng& rng, const Settings& set) {
  const double sigma = set.real("sigma");
  const GaussianMixture &data = set.law(), law = data.noised(1, sigma);
  const int64_t n = set.integer("n");
  const Tensor x0 = data.sample(n, rng.stream("data")), noise = rng.normal({n, 1}, {}, at::kDouble);
  const Tensor x = x0 + sigma * noise;
  MatchingLosses losses;
  for (int tenths = 0; tenths <= 20; ++tenths) {
    const double c = tenths / 10.0;
    const ScoreFunction score = [&](const Tensor& y) { return c * law.score(y); };
    const auto mean = [](const Tensor& rows) { return rows.mean().item<double>(); };
    losses.c.push_back(c);
    losses.fisher.push_back(mean(fisher_divergence(score, law, x)));
    losses.implicit.push_back(mean(implicit_score_matching(score, x)));
    losses.denoising.push_back(mean(denoising_score_matching(score, x0, noise, sigma)));
  }
  return losses;
}

Scene matching(Workshop&, const Rng& rng, const Settings& set) {
  const MatchingLosses losses = matching_losses(rng, set);
  const bool usual = set.changes().empty();
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 760, 420);
    auto& axes = figure.axes();
    axes.x = {.label = "c"};
    axes.y = {.label = "loss of c \\nabla log p",
              .limits = usual ? std::optional(plot::Range{-0.6, 1.4}) : std::nullopt};
    const Tensor c = at::tensor(losses.c, at::kDouble);
    const auto add = [&](const char* label, const std::vector<double>& values, size_t colour) {
      plot::add_line(axes, c, at::tensor(values, at::kDouble),
                     {.label = label, .colour = theme.series(colour), .width = 2});
    };
    add("denoising", losses.denoising, 0);
    add("explicit (Fisher)", losses.fisher, 1);
    add("implicit", losses.implicit, 2);
    add_vertical(axes, 1, theme.muted);
    return figure;
  })};
}

}  // namespace

void add_s0_matching(Items& items) {
  items.push_back(
      {.id = "s0.score-matching",
       .title = "Three objectives, one minimiser",
       .source = "S0, Theorem 12.3; S2, equations 4.2 to 4.4",
       .caption =
           "The losses of the candidates s = c ∇ log p for the data smoothed by σ = 1, over 20,000 draws. "
           "The "
           "explicit loss needs the score, the implicit one only s and its divergence, the denoising one "
           "only "
           "noised data; they differ by constants, so all are least at c = 1 (dashed). S2's equation 4.4 "
           "draws Z from N(0, σ² I); it must be N(0, I).",
       .alt = "Three parabolas of one shape at different heights, each lowest at c = 1.",
       .kind = Kind::figure,
       .prepare = matching,
       .settings = {two_bumps_setting(), Setting::real("sigma", 1, 0.05, 20, "deviation of the noise"),
                    Setting::integer("n", 20'000, 100, 500'000, "draws")},
       .caption_when_set =
           "The losses of the candidates s = c ∇ log p for smoothed data, over draws. The explicit loss "
           "needs "
           "the score, the implicit one only s and its divergence, the denoising one only noised data; they "
           "differ by constants, so all are least near c = 1 (dashed). S2's equation 4.4 draws Z from "
           "N(0, σ² I); it must be N(0, I).",
       .alt_when_set = "Three parabolas of one shape at different heights, each lowest near c = 1."});
}

}  // namespace fokker::gallery
