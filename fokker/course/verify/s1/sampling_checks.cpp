#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ancestral.h"

namespace fokker::verify {
namespace {

using Variance = Ancestral::Variance;

std::string name_of(Variance variance) {
  return variance == Variance::transition ? "beta" : "beta-tilde";
}

Tensor sampled(const ChainTable& chain, const GaussianMixture& model, Variance variance, int64_t n,
               const NoiseSource& noise, const Rng& rng) {
  const AnalyticDenoiser denoiser(model, chain.process());
  const Tensor start = chain.process().sample_prior({n, 1}, rng.stream("start").noise_source(at::kDouble));
  return integrate(denoiser, Ancestral(variance), TimeGrid::uniform(chain.steps()), start,
                   {.noise = noise, .observers = {}})
      .x.flatten();
}

/// Mean and variance that the sampler has at the end for normal data N(m, v): every step is the regression of
/// x_{i-1} on x_i, slope sqrt(1 - beta) c_{i-1} / c_i with c_i = alphabar_i v + 1 - alphabar_i, plus noise.
struct NormalLaw {
  double mean = 0, variance = 1;
};
NormalLaw law_of_sampler(const ChainTable& chain, double m, double v,
                         const std::function<double(int64_t i)>& noise) {
  NormalLaw law;
  for (int64_t i = chain.steps(); i >= 1; --i) {
    const double a = chain.alphabar(i), before = chain.alphabar(i - 1);
    const double slope = std::sqrt(1 - chain.beta(i)) * (before * v + 1 - before) / (a * v + 1 - a);
    law.mean = std::sqrt(before) * m + slope * (law.mean - std::sqrt(a) * m);
    law.variance = slope * slope * law.variance + (i > 1 ? noise(i) : 0);
  }
  return law;
}

/// S1, sampling, for normal data, where the law of what comes out is known for any number of steps.
void normal_data(Variance variance, const Trial& trial, Evidence& evidence) {
  const double m = trial.settings().real("mean"), v = trial.settings().real("variance");
  const ChainTable chain(trial.settings().betas());
  const GaussianMixture data =
      GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1, 1}, v, at::kDouble));
  const Tensor x = sampled(chain, data, variance, trial.settings().integer("n"),
                           trial.rng().stream("noise").noise_source(at::kDouble), trial.rng());
  const auto noise = [&](int64_t i) {
    const int64_t step = trial.has("step") ? i : chain.steps();
    const bool beta = (variance == Variance::transition) == trial.has("choice");
    return beta ? chain.beta(step) : chain.beta_tilde(step);
  };
  const NormalLaw law = law_of_sampler(chain, m, v, noise);
  evidence.equal("mean of the samples", mean_of(x), law.mean);
  evidence.equal("variance of the samples", variance_of(x), law.variance);
}

/// Both variances reach data that is not normal. The modes lie so far apart that the width of each is the one
/// that the same number of steps gives a normal law; it tends to the data's as the steps become many.
void mixture_data(Variance variance, const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::linear(200, 1e-3, 0.1);
  const LineMixture data({0.2, 0.8}, {-2.0, 0.6}, {0.04, 0.09});
  const GaussianMixture model =
      trial.has("denoiser") ? data.mixture()
                            : GaussianMixture::gaussian(data.mixture().mean(), data.mixture().covariance());
  const NoiseSource normal = trial.rng().stream("noise").noise_source(at::kDouble);
  const NoiseSource none = [](IntArrayRef shape, DrawPosition) { return at::zeros(shape, at::kDouble); };
  const Tensor x = sampled(chain, model, variance, 10'000, trial.has("noise") ? normal : none, trial.rng());
  const auto noise = [&](int64_t i) {
    return variance == Variance::transition ? chain.beta(i) : chain.beta_tilde(i);
  };
  const auto width = [&](double m, double v) { return law_of_sampler(chain, m, v, noise).variance; };
  const Tensor small = x.masked_select(x < -0.9), large = x.masked_select(x > -0.9);
  evidence.equal("mass of the small mode", fraction_of(x < -0.9, 0.2), 0.2, 0.004);
  if (small.numel() < 2 || large.numel() < 2) return;  // one mode has it all, which the mass shows
  evidence.equal("mean of the large mode", mean_of(large), 0.6, 0.001);
  evidence.equal("variance of the large mode", variance_of(large), width(0.6, 0.09), 5e-4);
  evidence.equal("variance of the small mode", variance_of(small), width(-2, 0.04), 5e-4);
}

/// From the exact law of x_i, the law of x_{i-1} is met by beta for data N(0, I) and by beta-tilde for data
/// that is one point (Ho et al. 2020, section 3.2).
void one_step(const Trial& trial, Evidence& evidence) {
  const ChainTable chain(trial.settings().betas());
  const int64_t n = trial.settings().integer("n");
  for (const Variance variance : {Variance::transition, Variance::posterior}) {
    const double v = (variance == Variance::transition) == trial.has("choice") ? 1 : 0;
    const AnalyticDenoiser exact(
        GaussianMixture(at::ones({1}), at::zeros({1, 1}, at::kDouble), at::full({}, v, at::kDouble)),
        chain.process());
    for (int64_t i = 2; i <= chain.steps(); ++i) {
      const Rng rng = trial.rng().stream(static_cast<uint64_t>(i));
      const auto law = [&](int64_t k) { return 1 + chain.alphabar(k) * (v - 1); };
      const Tensor x = std::sqrt(law(i)) * rng.normal({n, 1}, {}, at::kDouble);
      const Tensor next =
          integrate(exact, Ancestral(variance), TimeGrid({chain.time(i), chain.time(i - 1)}), x,
                    {.noise = rng.stream("noise").noise_source(at::kDouble), .observers = {}})
              .x;
      evidence.equal(fmt::format("variance of x_{} with {}", i - 1, name_of(variance)),
                     variance_of(next.flatten()), law(i - 1));
    }
  }
}

}  // namespace

void add_s1_sampling(Checks& checks) {
  for (const Variance variance : {Variance::transition, Variance::posterior}) {
    checks.push_back(
        {.id = "s1.sampling.normal-" + name_of(variance),
         .source = "S1, sampling from the model",
         .statement = "Ancestral sampling with " + name_of(variance) + " has its exact law for normal data",
         .measure = [=](const Trial& t, Evidence& e) { normal_data(variance, t, e); },
         .ingredients = {{"choice", "the law is that of the other variance"},
                         {"step", "every step has the variance of step T, as the slide prints"}},
         .settings = {
             Setting::real("mean", 0.5, -100, 100, "mean of the data"),
             Setting::real("variance", 0.25, 1e-4, 1e4, "variance of the data"),
             table_setting(ChainTable::linear(20, 0.02, 0.5), "linear:steps=20,first=0.02,last=0.5", 200),
             Setting::integer("n", 100'000, 100, 1'000'000, "samples")}});
    checks.push_back(
        {.id = "s1.sampling.mixture-" + name_of(variance),
         .source = "S1, sampling from the model",
         .statement =
             "Ancestral sampling with " + name_of(variance) + " and the exact denoiser reaches the data",
         .measure = [=](const Trial& t, Evidence& e) { mixture_data(variance, t, e); },
         .ingredients = {{"denoiser", "the denoiser is that of a normal law of the same moments"},
                         {"noise", "no noise is added"}}});
  }
  checks.push_back({.id = "s1.sampling.one-step",
                    .source = "S1, sampling from the model; Ho et al. 2020, section 3.2",
                    .statement = "One step is exact with beta for N(0, I) and with beta-tilde for one point",
                    .measure = one_step,
                    .ingredients = {{"choice", "each variance gets the other's data"}},
                    .settings = {table_setting(ChainTable::short_chain(), "0.05, 0.1, 0.2, 0.4, 0.6", 50),
                                 Setting::integer("n", 60'000, 500, 1'000'000, "draws")}});
}

}  // namespace fokker::verify
