// S2, sections 4.3 and 4.4: Langevin dynamics between two modes, plain and annealed.
#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/plot/mark/bars.h"
#include "fokker/plot/mark/scatter.h"
#include "fokker/sample/chain/langevin.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"

namespace fokker::gallery {
namespace {

const plot::Extent langevin_view = {.x = {-11, 11}, .y = {-11, 11}};

constexpr int64_t annealing_levels = 12;

GaussianProcess annealing_noise(double largest = 8) {
  return VarianceExploding{.sigma_min = 0.2, .sigma_max = largest};
}

/// What a reader may choose of the annealed chain.
struct AnnealingPlan {
  double largest;
  int64_t levels, steps;
  explicit AnnealingPlan(const Settings& set)
      : largest(set.real("sigma")), levels(set.integer("levels")), steps(set.integer("steps")) {}
};

Tensor ula(const Tensor& start, int64_t steps, const Rng& rng) {
  return run_chain(Ula(0.1), named_mixture("two-modes"), start, rng.noise_source(at::kDouble),
                   {.steps = steps, .observers = {}})
      .x;
}

/// The end of the annealed chain, (n, 2).
Tensor annealed(const AnnealingPlan& plan, const Tensor& start, const Rng& rng) {
  const AnalyticDenoiser exact(named_mixture("two-modes"), annealing_noise(plan.largest));
  return integrate(exact, AnnealedLangevin({.inner = plan.steps, .relative_step = 0.3}),
                   TimeGrid::uniform(plan.levels - 1), start,
                   {.noise = rng.noise_source(at::kDouble), .observers = {}, .denoise_end = false})
      .x;
}

double small_share(const Tensor& x) {
  return x.sum(1).lt(0).to(at::kDouble).mean().item<double>();
}

void draw_cloud(plot::Axes& axes, const plot::Theme& theme, const Tensor& density, const Tensor& x,
                size_t colour) {
  axes.x = {.label = "x_1", .limits = langevin_view.x};
  axes.y.limits = langevin_view.y;
  axes.equal_aspect = true;
  plot::add_scatter(axes, x, {.colour = theme.series(colour), .radius = 1.6, .alpha = 0.4});
  plot::add_contours(axes, density, langevin_view, {.colour = theme.text, .count = 4, .width = 1});
}

Scene modes(Workshop&, const Rng& rng, const Settings& set) {
  const AnnealingPlan plan(set);
  const int64_t n = 2000, steps = plan.levels * plan.steps;
  const Tensor wide = 8 * rng.stream("wide").normal({n, 2}, {}, at::kDouble);
  const Tensor one = at::full({n, 2}, 5.0, at::kDouble);
  const std::vector<Tensor> ends = {ula(one, steps, rng.stream("one")),
                                    ula(wide, steps, rng.stream("wide chain")),
                                    annealed(plan, wide, rng.stream("annealed"))};
  const std::vector<std::string> names = {"ULA from one mode", "ULA from N(0, 64 I)", "annealed Langevin"};
  const Tensor density = density_on(named_mixture("two-modes"), langevin_view, 120);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 940, 375, 1, 3);
    for (int i = 0; i < 3; ++i) {
      auto& axes = figure.axes(0, i);
      const Tensor& x = ends[static_cast<size_t>(i)];
      draw_cloud(axes, theme, density, x, i == 2 ? 2 : 0);
      axes.title = fmt::format("{}: {:.0f} % below", names[static_cast<size_t>(i)], 100 * small_share(x));
      if (i == 0) axes.y.label = "x_2";
    }
    return figure;
  })};
}

/// Every second of the Langevin steps of ULA beside those of the annealed chain.
struct LangevinFilm {
  Tensor plain, annealed;      ///< (frames, n, 2)
  std::vector<double> levels;  ///< sigma of each frame
};

LangevinFilm langevin_film(const Rng& rng) {
  const int64_t n = 600, every_step = 8;
  const GaussianProcess noise = annealing_noise();
  const GaussianMixture data = named_mixture("two-modes");
  Tensor x = 8 * rng.stream("start").normal({n, 2}, {}, at::kDouble), y = x;
  std::vector<Tensor> plain{x}, smoothed{x};
  std::vector<double> levels{noise.sigma(1)};
  for (int64_t i = 0; i < annealing_levels; ++i) {
    const double sigma = noise.sigma(1 - static_cast<double>(i) / (annealing_levels - 1));
    const GaussianMixture law = data.noised(1, sigma);
    const auto source = [&](const char* name) {
      return rng.stream(name).stream(static_cast<uint64_t>(i)).noise_source(at::kDouble);
    };
    const auto run = [&](const Ula& kernel, const Distribution& target, Tensor& state,
                         std::vector<Tensor>& kept, const char* name) {
      const Observer keep = [&](const Observation& seen) {
        if (seen.step > 0 && seen.step % every_step == 0) kept.push_back(seen.x.clone());
      };
      state = run_chain(kernel, target, state, source(name), {.steps = 56, .observers = {keep}}).x;
    };
    run(Ula(0.1), data, x, plain, "plain");
    run(Ula(0.3 * sigma * sigma), law, y, smoothed, "annealed");
    levels.insert(levels.end(), 7, sigma);
  }
  return {at::stack(plain), at::stack(smoothed), levels};
}

Scene film(Workshop&, const Rng& rng) {
  const LangevinFilm states = langevin_film(rng);
  const GaussianMixture data = named_mixture("two-modes");
  const auto draw = [=](const plot::Theme& theme, int64_t frame) {
    plot::Figure figure = page(theme, 760, 420, 1, 2);
    const double sigma = states.levels[static_cast<size_t>(frame)];
    draw_cloud(figure.axes(0, 0), theme, density_on(data, langevin_view, 90), states.plain[frame], 0);
    draw_cloud(figure.axes(0, 1), theme, density_on(data.noised(1, sigma), langevin_view, 90),
               states.annealed[frame], 2);
    figure.axes(0, 0).title =
        fmt::format("ULA on \\mu: {:.0f} % below", 100 * small_share(states.plain[frame]));
    figure.axes(0, 1).title = fmt::format("annealed, \\sigma = {:.2f}: {:.0f} % below", sigma,
                                          100 * small_share(states.annealed[frame]));
    figure.axes(0, 0).y.label = "x_2";
    return figure;
  };
  const int64_t frames = states.plain.size(0);
  return {.draw = draw, .frames = frames, .still = frames - 1};
}

}  // namespace

void add_s2_langevin(Items& items) {
  items.push_back(
      {.id = "s2.langevin",
       .title = "ULA and annealed Langevin on two modes",
       .source = "S2, sections 4.3 and 4.4",
       .caption =
           "The end of 2000 chains of 720 steps with the exact score; 20 % belong to the lower mode. From "
           "one "
           "mode ULA never reaches the other; from a wide start it keeps the shares of the start, about a "
           "half. Annealed Langevin from the same wide start, 12 levels of 60 steps from σ = 8 to 0.2, finds "
           "the weights almost: they freeze at the level where the modes part.",
       .alt = "Three clouds over contours of two modes: ULA fills one mode only or both alike, annealed "
              "Langevin "
              "has few points in the lower mode and many in the upper.",
       .kind = Kind::figure,
       .prepare = modes,
       .settings = {Setting::real("sigma", 8, 0.5, 30, "the largest noise level"),
                    Setting::integer("levels", 12, 2, 60, "noise levels, down to 0.2"),
                    Setting::integer("steps", 60, 1, 500, "steps at each level")},
       .caption_when_set =
           "The end of 2000 chains with the exact score; 20 % belong to the lower mode. From one mode ULA "
           "never reaches the other; from a wide start it keeps the shares of the start, about a half. "
           "Annealed Langevin from the same wide start, with the levels and steps that were set; ULA takes "
           "as many steps in all.",
       .alt_when_set = "Three clouds over contours of two modes: ULA from one mode, ULA from a wide start, "
                       "and annealed Langevin."});
  items.push_back(
      {.id = "s2.langevin-film",
       .title = "The same, step by step",
       .source = "S2, section 4.4",
       .caption =
           "600 chains from one wide start. On μ each falls at once into the mode that is nearer and stays. "
           "Through the levels of noise the chains move between the modes while σ is large, and the "
           "contours, "
           "those of μ ∗ N(0, σ² I), take them along.",
       .alt =
           "Animation of two clouds of points: on the left they fall into two equal modes, on the right they "
           "shrink slowly from one cloud into a small lower and a large upper mode.",
       .kind = Kind::animation,
       .prepare = film});
}

}  // namespace fokker::gallery
