// What law guided sampling draws from: the flow's own, and not the tilted one (docs/conditioning.md).
#include <cmath>

#include "fokker/core/error.h"
#include "fokker/course/problem/guided_law.h"
#include "fokker/course/problem/labelled_mixture.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker::verify {
namespace {

/// Its prior knows nothing of the data: alpha = 0 at t = 1, where sigma/alpha is infinite.
GaussianProcess guided_process() {
  return Flow{};
}

/// Equal steps of the flow; an end of the interval lies between two times next to it, so that no step sees
/// the estimate jump.
TimeGrid times_around(const GuidanceInterval& interval) {
  std::vector<double> times;
  for (int i = 100; i >= 0; --i) times.push_back(i / 100.0);
  for (const double level : {interval.low, interval.high})
    if (level > 0 && std::isfinite(level))
      for (const double side : {1 - 1e-7, 1 + 1e-7}) times.push_back(side * level / (1 + level));
  std::sort(times.rbegin(), times.rend());
  return TimeGrid(times);
}

/// Where the prior's quantiles z end by the library's own sampler, Heun's.
Tensor drawn(const Denoiser& denoiser, const Tensor& z, const GuidanceInterval& interval = {}) {
  return integrate(denoiser, Heun(), times_around(interval), z.unsqueeze(1)).x.squeeze(1);
}

GuidedLine line_of(double weight, GuidanceInterval interval = {}) {
  return {.weak = both_classes(), .strong = guided_class(1), .weight = weight, .interval = interval};
}

std::shared_ptr<const Denoiser> two_classes() {
  return std::make_shared<LabelledMixture>(
      both_classes(), std::vector<GaussianMixture>{guided_class(0), guided_class(1)}, guided_process());
}

/// Quantiles by the sampler against the flow's, for several weights, an interval of noise levels among them.
void cfg_law(const Trial& trial, Evidence& evidence) {
  const Tensor z = at::linspace(-2.5, 2.5, 11, at::kDouble);
  const GuidanceInterval some{0.3, 2};
  for (const double weight : {0.5, 2.0, 4.0})
    for (const GuidanceInterval& interval : {GuidanceInterval{}, some}) {
      const double used = trial.has("unconditional") ? weight : 1;
      const GuidanceInterval asked = trial.has("interval") ? interval : GuidanceInterval{};
      const Tensor found = drawn(GuidedDenoiser(two_classes(), 1, used, asked), z, interval);
      const Tensor expected = carried_to_data(line_of(weight, interval), z);
      for (const int64_t i : {0, 3, 5, 7, 10})
        evidence.equal(fmt::format("quantile {} at weight {}{}", z[i].item<double>(), weight,
                                   interval.is_everything() ? "" : " on an interval"),
                       {found[i].item<double>(), 0}, expected[i].item<double>(), 1e-3);
    }
}

/// Wasserstein's distance from the tilted law to where the sampler carries the quantiles of N(0, 1): the
/// integral of |x(q) - x_tilted(q)| over q.
double distance_to(const LineLaw& tilted, const Tensor& z, const Tensor& x) {
  const Tensor q = normal_distribution(z);
  const Tensor right = at::searchsorted(tilted.distribution, q).clamp(1, tilted.x.size(0) - 1);
  const Tensor F0 = tilted.distribution.index({right - 1}), F1 = tilted.distribution.index({right});
  const Tensor share = ((q - F0) / (F1 - F0)).clamp(0, 1);
  const Tensor quantile = tilted.x.index({right - 1}) + share * (tilted.x[1] - tilted.x[0]);
  const Tensor density = (-0.5 * z.square()).exp() / std::sqrt(2 * std::numbers::pi);
  return ((x - quantile).abs() * density).sum().item<double>() * (z[1] - z[0]).item<double>();
}

/// How far what is drawn lies from the tilted law: nowhere at weights 0 and 1, else as far as the two laws
/// themselves.
void cfg_tilted(const Trial& trial, Evidence& evidence) {
  const Tensor x = at::linspace(-5, 6, 1101, at::kDouble), z = at::linspace(-5, 5, 401, at::kDouble);
  for (const double weight : {0.0, 1.0, 2.0, 4.0}) {
    const GuidedLine line = line_of(weight);
    const LineLaw tilted = tilted_law(line, x);
    const Tensor found = drawn(GuidedDenoiser(two_classes(), 1, trial.has("guidance") ? weight : 1), z);
    const bool plain = weight == 0 || weight == 1;
    const double expected = plain || !trial.has("law") ? 0 : wasserstein(guided_law(line, x), tilted);
    evidence.equal(fmt::format("distance to the tilted law at weight {}", weight),
                   {distance_to(tilted, z, found), 0}, expected, 1e-3);
  }
}

/// N(0, 1) and N(m, v): closed forms of both laws.
void cfg_normal(const Trial& trial, Evidence& evidence) {
  const double mean = trial.settings().real("mean"), variance = trial.settings().real("variance");
  const auto normal = [](double m, double v) {
    return GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1}, v, at::kDouble));
  };
  const LabelledMixture classes(normal(0, 1), {normal(mean, variance)}, guided_process());
  const auto owned = std::make_shared<LabelledMixture>(classes);
  const Tensor z = at::linspace(-6, 6, 241, at::kDouble);
  const Tensor weights = (-0.5 * z.square()).exp();
  const Tensor found = drawn(GuidedDenoiser(owned, 0, 2), z);
  const double first = expectation(weights.log(), found), second = variance_under(weights.log(), found);
  const NormalMoments law = trial.has("law") ? guided_normal(mean, variance) : tilted_normal(mean, variance);
  evidence.equal(fmt::format("mean of N(0, 1) guided to N({}, {}) at weight 2", mean, variance), {first, 0},
                 law.mean, 1e-3);
  evidence.equal("its variance", {second, 0}, law.variance, 1e-3);
}

/// A worse model of the same data, of larger variance s > v: what is drawn has variance v^w s^(1-w).
void autoguidance_normal(const Trial& trial, Evidence& evidence) {
  const GaussianProcess process = guided_process();
  const auto exact = [&](double v) {
    return std::make_shared<AnalyticDenoiser>(
        GaussianMixture::gaussian(at::zeros({1}, at::kDouble), at::full({1}, v, at::kDouble)), process);
  };
  const double v = trial.settings().real("variance"), s = trial.settings().real("guide");
  const Tensor z = at::linspace(-6, 6, 241, at::kDouble);
  for (const double weight : {0.0, 1.0, 2.0, 3.0}) {
    const double used = trial.has("guide") ? weight : 1;
    const Tensor found = drawn(AutoguidedDenoiser(exact(v), exact(s), used), z);
    evidence.equal(fmt::format("variance at weight {}", weight),
                   {variance_under(-0.5 * z.square(), found), 0},
                   std::pow(v, weight) * std::pow(s, 1 - weight), 1e-3);
  }
}

/// Bayes' rule: with the exact term of a classifier the flow ends in the class.
void classifier_law(const Trial& trial, Evidence& evidence) {
  const GaussianProcess process = VariancePreserving{};
  const auto whole = std::make_shared<AnalyticDenoiser>(both_classes(), process);
  const ScoreTerm term = classifier_term([&](const Tensor& x, const Times& t) {
    // Of the data itself, where the noised data's is meant.
    const double a = trial.has("noised") ? process.alpha(t.scalar()) : 1;
    const double s = trial.has("noised") ? process.sigma(t.scalar()) : 0;
    return guided_class(1).posterior(x, a, s).log_density - both_classes().posterior(x, a, s).log_density;
  });
  GuidedLine line = line_of(1);
  line.begin = std::atan2(process.sigma(1), process.alpha(1));
  const Tensor z = at::linspace(-2.5, 2.5, 11, at::kDouble);
  const TimeGrid grid = TimeGrid::uniform_log_snr(process, 100);
  const Tensor found = integrate(ScoreGuidedDenoiser(whole, term), Heun(), grid, z.unsqueeze(1)).x.squeeze(1);
  const Tensor expected = carried_to_data(line, z);
  for (int64_t i = 0; i < z.size(0); ++i)
    evidence.equal(fmt::format("quantile {}", z[i].item<double>()), {found[i].item<double>(), 0},
                   expected[i].item<double>(), 1e-3);
}

}  // namespace

void add_guidance_laws(Checks& checks) {
  checks.push_back(
      {.id = "guidance.cfg.law",
       .source = "Ho and Salimans 2022",
       .statement = "Classifier-free guidance samples the law that its own flow carries the prior to",
       .measure = cfg_law,
       .ingredients = {{"unconditional", "the estimate is the conditional one at every weight"},
                       {"interval", "guidance acts at all noise levels where it should on some"}}});
  checks.push_back(
      {.id = "guidance.cfg.tilted",
       .source = "Bradley and Nakkiran 2024",
       .statement = "Guided samples leave p(x)^(1-w) p(x|c)^w by a known distance, none at w = 0 and 1",
       .measure = cfg_tilted,
       .ingredients = {{"law", "samples are expected to follow the tilted law"},
                       {"guidance", "the estimate is the conditional one at every weight"}}});
  checks.push_back({.id = "guidance.cfg.normal",
                    .source = "Bradley and Nakkiran 2024",
                    .statement = "N(0, 1) guided to N(m, v) at weight 2 has variance v^2, not v / (2 - v)",
                    .measure = cfg_normal,
                    .ingredients = {{"law", "samples are expected to follow the tilted law"}},
                    .settings = {Setting::real("mean", 1.5, -3, 3, "mean of the class"),
                                 Setting::real("variance", 0.25, 0.1, 0.9, "variance of the class")}});
  checks.push_back({.id = "guidance.autoguidance",
                    .source = "Karras et al. 2024",
                    .statement = "N(0, v) guided by a wider N(0, s) has variance v^w s^(1-w)",
                    .measure = autoguidance_normal,
                    .ingredients = {{"guide", "the guide has no weight"}},
                    .settings = {Setting::real("variance", 0.5, 0.1, 2, "variance v of the data"),
                                 Setting::real("guide", 0.8, 0.1, 2, "variance s of the guide's law")}});
  checks.push_back({.id = "guidance.classifier",
                    .source = "Dhariwal and Nichol 2021",
                    .statement = "The exact gradient of log p_t(y | x_t) samples the class",
                    .measure = classifier_law,
                    .ingredients = {{"noised", "the classifier is that of data without noise"}}});
}

}  // namespace fokker::verify
