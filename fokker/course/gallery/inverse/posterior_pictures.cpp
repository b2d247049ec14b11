// What each method for inverse problems draws, beside the exact posterior (docs/inverse-problems.md).
#include <cmath>
#include <numbers>

#include "fokker/condition/operator/operators.h"
#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/error.h"
#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/items.h"
#include "fokker/evaluate/posterior_error.h"
#include "fokker/plot/mark/scatter.h"

namespace fokker::gallery {
namespace {

const plot::Extent inverse_view = {.x = {-2.6, 2.6}, .y = {-2.6, 2.6}};

/// Five modes on a circle.
GaussianMixture inverse_prior() {
  Tensor means = at::empty({5, 2}, at::kDouble);
  for (int64_t k = 0; k < 5; ++k) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(k) / 5 + 0.4;
    means[k][0] = 1.6 * std::cos(angle);
    means[k][1] = 1.6 * std::sin(angle);
  }
  return GaussianMixture(at::ones({5}, at::kDouble), means, at::full({1}, 0.08, at::kDouble).squeeze());
}

/// y = x_1 + x_2 / 2 + noise of this deviation.
LinearMeasurement inverse_measurement(double noise) {
  const Tensor a = at::tensor(at::ArrayRef<double>({1.0, 0.5}), at::TensorOptions(at::kDouble)).unsqueeze(0);
  return LinearMeasurement(std::make_shared<MatrixOperator>(a, std::vector<int64_t>{2}),
                           at::full({1, 1}, 0.6, at::kDouble), noise);
}

struct Cloud {
  std::string title;
  Tensor x;
};

std::vector<Cloud> inverse_clouds(const Rng& rng, double noise) {
  const GaussianMixture prior = inverse_prior();
  const LinearMeasurement seen = inverse_measurement(noise);
  const GaussianMixture exact = exact_posterior(prior, seen);
  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  const int64_t n = 1000, small = exact.weights().argsort(0, /*descending=*/true)[2].item<int64_t>();
  const auto titled = [&](const std::string& name, double share) {
    return fmt::format("{}: {:.1f} %", name, 100 * share);
  };
  std::vector<Cloud> clouds = {
      {titled("exact", exact.weights()[small].item<double>()), exact.sample(n, rng.stream("exact"))}};
  for (const std::string method : {"replacement", "ddnm", "dps:step=0.2", "pigdm", "mmps", "gibbs", "tds"}) {
    const auto sampler = make_posterior_sampler(method);
    const PosteriorSamples found =
        sampler->sample(denoiser, seen, posterior_grid(denoiser.process(), 60),
                        {.draws = n, .rng = rng.stream("methods"), .type = at::kDouble});
    const double share = component_shares(found.x[0], found.log_weights[0], exact)[small].item<double>();
    clouds.push_back({titled(sampler->name(), share), equally_weighted(found, n, rng.stream("picked"))[0]});
  }
  return clouds;
}

Scene posteriors(Workshop&, const Rng& rng, const Settings& set) {
  const double noise = set.real("noise");
  const std::vector<Cloud> clouds = inverse_clouds(rng, noise);
  const Tensor exact =
      density_on(exact_posterior(inverse_prior(), inverse_measurement(noise)), inverse_view, 120);
  return {one_picture([=](const plot::Theme& theme) {
    plot::Figure figure = page(theme, 1000, 540, 2, 4);
    for (size_t i = 0; i < clouds.size(); ++i) {
      auto& axes = figure.axes(static_cast<int>(i / 4), static_cast<int>(i % 4));
      axes.title = clouds[i].title;
      axes.x.limits = inverse_view.x;
      axes.y.limits = inverse_view.y;
      axes.equal_aspect = true;
      axes.grid = false;
      plot::add_scatter(axes, clouds[i].x,
                        {.colour = theme.series(i == 0   ? 2
                                                : i == 7 ? 1
                                                         : 0),
                         .radius = 1.4,
                         .alpha = 0.4});
      plot::add_contours(axes, exact, inverse_view, {.colour = theme.text, .count = 4, .width = 1});
    }
    return figure;
  })};
}

}  // namespace

void add_inverse_posteriors(Items& items) {
  items.push_back(
      {.id = "inverse.posteriors",
       .title = "What each method takes for the posterior",
       .source = "Wu et al. 2023; Rozet et al. 2024; Song et al. 2023; Chung et al. 2023",
       .caption =
           "Five modes on a circle, of which y = x_1 + x_2 / 2 is seen with noise 0.3: the exact posterior "
           "as "
           "contours, and 1000 draws of each method by the exact denoiser, 60 steps. The number is the share "
           "of "
           "the smallest of the three modes that are left; in the first panel it is exact. Replacement and "
           "DDNM "
           "draw a line through y, also between the modes, and DPS leaves draws there; PiGDM, MMPS and split "
           "Gibbs give the small mode too much. Twisted diffusion (tds) weighs its particles and is nearest.",
       .alt =
           "Eight panels of points over the same contours of two modes. In the first and the last the points "
           "fit "
           "the contours; replacement and DDNM lie on a line through both modes, others have a third cloud "
           "between them.",
       .kind = Kind::figure,
       .prepare = posteriors,
       .settings = {Setting::real("noise", 0.3, 0.1, 1, "deviation of the measurement's noise")},
       .caption_when_set =
           "Five modes on a circle, of which y = x_1 + x_2 / 2 is seen with the noise that was set: the "
           "exact "
           "posterior as contours, and 1000 draws of each method by the exact denoiser, 60 steps. The number "
           "is the share of the third largest mode; in the first panel it is exact.",
       .alt_when_set = "Eight panels of points over the same contours of the exact posterior."});
}

}  // namespace fokker::gallery
