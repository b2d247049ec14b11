// What is one method under two names, what every method does at the ends, and what is refused.
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"
#include "fokker/sample/step/weights.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

/// Both methods on the same start and noise; the worst difference.
double difference(const AnalyticDenoiser& denoiser, const Sampler& one, const Sampler& other,
                  const TimeGrid& grid) {
  const Tensor x = Rng(1).normal({32, 2}, {}, at::kDouble);
  const IntegrateOptions options{.noise = Rng(2).noise_source(at::kDouble), .observers = {}};
  return worst(integrate(denoiser, one, grid, x, options).x, integrate(denoiser, other, grid, x, options).x);
}

// DDIM with eta = 0 is Euler's method for y = x/alpha in r = sigma/alpha, where dy/dr = E[eps].
TEST(Identity, DdimIsEulerInTheScaledVariables) {
  for (const char* spec : {"vp", "sub-vp", "flow", "ve:sigma_max=10"}) {
    const AnalyticDenoiser denoiser = mixture_denoiser(spec);
    const GaussianProcess& process = denoiser.process();
    const TimeGrid grid = TimeGrid::uniform(17, {.start = 0.9, .end = 0.05});
    Tensor x = Rng(1).normal({32, 2}, {}, at::kDouble);
    const Tensor result = integrate(denoiser, Ddim(), grid, x).x;
    const auto r = [&](double t) { return process.sigma(t) / process.alpha(t); };
    for (size_t i = 0; i + 1 < grid.times().size(); ++i) {
      const double t = grid.times()[i], s = grid.times()[i + 1];
      x = process.alpha(s) * (x / process.alpha(t) + (r(s) - r(t)) * denoiser.estimate(x, t).noise());
    }
    EXPECT_LT(worst(result, x), 1e-12) << spec;
  }
}

TEST(Identity, DdimWithFullNoiseIsAncestral) {
  for (const char* spec : {"vp", "ddpm", "sub-vp", "ve:sigma_max=10", "flow"})
    EXPECT_LT(difference(mixture_denoiser(spec), Ddim(1.0), Ancestral(), TimeGrid::uniform(20)), 1e-12)
        << spec;
}

// Every family's first member is DDIM, to the end at sigma = 0 and from alpha = 0.
TEST(Identity, OrderOneIsDdim) {
  const LinearMultistep lms({.order = 1});
  const Deis deis({.order = 1}), deis_log_snr({.order = 1, .variable = Deis::Variable::log_snr});
  const UniPc unipc({.order = 1, .corrector = false});
  for (const char* spec : {"vp", "ddpm", "flow", "ve:sigma_max=10", "sub-vp"}) {
    const AnalyticDenoiser denoiser = mixture_denoiser(spec);
    const TimeGrid grid = TimeGrid::uniform(20);
    for (const Sampler* sampler : std::vector<const Sampler*>{&lms, &deis, &deis_log_snr, &unipc})
      EXPECT_LT(difference(denoiser, *sampler, Ddim(), grid), 1e-11) << sampler->name() << " " << spec;
    // A single step of a multistep method has no past: DPM-Solver++ 1, UniP-1.
    const DpmPp2M two;
    const UniPc corrected;
    const DpmPpSde quiet({.eta = 0});
    std::any history;
    for (const Sampler* sampler : std::vector<const Sampler*>{&two, &corrected, &quiet}) {
      history.reset();
      StepContext context{0.8, 0.5, nullptr, history};
      const Tensor x = Rng(1).normal({32, 2}, {}, at::kDouble);
      EXPECT_LT(worst(sampler->step(denoiser, x, context).x,
                      integrate(denoiser, Ddim(), TimeGrid({0.8, 0.5}), x).x),
                1e-12)
          << sampler->name() << " " << spec;
    }
  }
}

TEST(Identity, OneSolverUnderTwoNames) {
  const TimeGrid grid = TimeGrid::uniform(20);
  const AnalyticDenoiser vp = mixture_denoiser("vp");
  // UniP-2 with B_2 is DPM-Solver++(2M); both noiseless SDE solvers are their ODE counterparts.
  EXPECT_LT(difference(vp, UniPc({.order = 2, .corrector = false}), DpmPp2M(), grid), 1e-11);
  EXPECT_LT(difference(vp, DpmPpSde({.eta = 0}), DpmPp2M(), grid), 1e-12);
  EXPECT_LT(difference(vp, DpmPpSde({.form = DpmPpSde::Form::singlestep, .eta = 0}), DpmPp2S(), grid), 1e-12);
  // Without past, SDE-DPM-Solver++ 1 is the posterior's step.
  EXPECT_LT(difference(vp, DpmPpSde(), Ancestral(), TimeGrid({0.8, 0.5})), 1e-12);
  // Under VE a polynomial in t and one in log-SNR are the same.
  EXPECT_LT(difference(mixture_denoiser("ve:sigma_max=10"), Deis(),
                       Deis({.variable = Deis::Variable::log_snr}), TimeGrid::uniform(20)),
            1e-10);
  // Under the flow y' = E[eps] has t for its r/(1 + r): Heun's methods differ, but not on a straight path.
  const AnalyticDenoiser point(GaussianMixture::empirical(at::ones({1, 2}, at::kDouble)), process_of("flow"));
  EXPECT_LT(difference(point, Heun(), Euler(), grid), 1e-12)
      << "one point: a straight path, exact by Euler's method";
}

class Ends : public ::testing::TestWithParam<NamedSampler> {};

std::vector<NamedSampler> all_samplers() {
  std::vector<NamedSampler> all = deterministic_samplers();
  for (auto& named : stochastic_samplers()) all.push_back(named);
  all.push_back({"dopri5", std::make_shared<Dopri5>()});
  all.push_back({"adaptive-sde", std::make_shared<AdaptiveSde>()});
  all.push_back({"predictor-corrector", std::make_shared<PredictorCorrector>(std::make_shared<Ancestral>())});
  all.push_back(
      {"annealed-langevin", std::make_shared<AnnealedLangevin>(AnnealedLangevin::Options{.inner = 5})});
  return all;
}

// Data at one point: at sigma = 0 nothing but that point is left, however few the steps, on every process.
TEST_P(Ends, AtTheDataWhereThereIsNoNoise) {
  const Sampler& sampler = *GetParam().sampler;
  if (sampler.name() == "euler-maruyama") return;  // simulates the SDE to the end, noise and all
  for (const char* spec : {"vp", "vp-cosine", "ddpm", "sub-vp", "flow", "brownian", "edm", "ve"}) {
    const AnalyticDenoiser denoiser(GaussianMixture::empirical(at::full({1, 3}, 0.7, at::kDouble)),
                                    process_of(spec));
    const double start = sampler.needs_sde() ? denoiser.process().schedule()->sde_end() : 1.0;
    const Tensor x = Rng(1).normal({5, 3}, {}, at::kDouble) * std::sqrt(denoiser.process().prior_variance());
    const Integration run = integrate(denoiser, sampler, TimeGrid::uniform(8, {.start = start}), x,
                                      {.noise = Rng(2).noise_source(at::kDouble), .observers = {}});
    EXPECT_LT(worst(run.x, at::full({5, 3}, 0.7, at::kDouble)), 1e-8) << spec;
  }
}

// Images and single numbers alike, and rows that do not see each other.
TEST_P(Ends, TakesEventsOfAnyShape) {
  const Sampler& sampler = *GetParam().sampler;
  if (sampler.adaptive() || sampler.name() == "predictor-corrector") return;  // rows share a step size
  const AnalyticDenoiser denoiser(GaussianMixture::standard_normal(12), process_of("vp"));
  const Tensor flat = Rng(1).normal({4, 12}, {}, at::kDouble);
  const TimeGrid grid = TimeGrid::uniform(6, {.start = 0.9, .end = 0.1});
  const IntegrateOptions options{.noise = Rng(2).noise_source(at::kDouble), .block = 3, .observers = {}};
  const Tensor image = integrate(denoiser, sampler, grid, flat.reshape({4, 3, 2, 2}), options).x;
  EXPECT_LT(worst(image.flatten(1), integrate(denoiser, sampler, grid, flat, options).x), 1e-12);
}
INSTANTIATE_TEST_SUITE_P(All, Ends, ::testing::ValuesIn(all_samplers()));

// A run from data: the first step has no noise to estimate, and uses that of its end.
TEST(Inversion, LeavesCleanData) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const Tensor x = at::full({1, 1}, 1.3, at::kDouble);
  // (x - m)/deviation is constant along the flow: (1.3 - 0.8)/0.4 standard deviations at every time.
  const TimeGrid grid = TimeGrid::uniform(400, {.start = 0.9});
  for (const Sampler* sampler : std::vector<const Sampler*>{new Ddim(), new Heun(), new DpmPp2M()}) {
    const std::unique_ptr<const Sampler> owner(sampler);
    const double noise = integrate(denoiser, *sampler, grid.reversed(), x).x.item<double>();
    const double deviation = std::hypot(denoiser.process().alpha(0.9) * 0.4, denoiser.process().sigma(0.9));
    EXPECT_NEAR((noise - denoiser.process().alpha(0.9) * 0.8) / deviation, 1.25, 0.015) << sampler->name();
  }
}

TEST(PredictorCorrector, MovesTheLawTowardsTheMarginal) {
  // With the fixed step h = c sigma^2 on a Gaussian the corrector's law is known: it contracts to v/(1 -
  // h/(2v)).
  const AnalyticDenoiser denoiser = gaussian_denoiser("ve:sigma_max=10");
  const double v = denoiser.marginal(0.5).covariance().item<double>(),
               h = 0.1 * std::pow(denoiser.process().sigma(0.5), 2);
  const PredictorCorrector sampler(std::make_shared<Ddim>(), {.inner = 12, .relative_step = 0.1});
  const auto answer = [&](double x, uint32_t loud) {
    std::any history;
    StepContext context{0.6, 0.5,
                        [&](uint32_t draw) {
                          return at::full({1, 1}, draw == loud ? 1.0 : 0.0, at::kDouble);
                        },
                        history};
    return sampler.step(denoiser, at::full({1, 1}, x, at::kDouble), context).x.item<double>();
  };
  const double contraction = std::pow(1 - h / v, 12);
  const double predicted =
      integrate(denoiser, Ddim(), TimeGrid({0.6, 0.5}), at::full({1, 1}, 9.0, at::kDouble)).x.item<double>();
  EXPECT_NEAR(answer(9.0, 1), 0.8 + contraction * (predicted - 0.8), 1e-12)
      << "draw 1 is not the corrector's";
  double variance = 0;
  for (uint32_t k = 0; k < 12; ++k) variance += std::pow(answer(0.0, 2048 + k) - answer(0.0, 1), 2);
  EXPECT_NEAR(variance / (v / (1 - h / (2 * v)) * (1 - contraction * contraction)), 1, 1e-9);
}

// Song et al. (2021), Algorithm 4: eps = 2 (r |z|/|g|)^2.
TEST(PredictorCorrector, TakesItsStepFromTheSignalToNoiseRatio) {
  const AnalyticDenoiser denoiser(GaussianMixture::standard_normal(4), process_of("ve:sigma_max=10"));
  const Tensor x = Rng(1).normal({6, 4}, {}, at::kDouble), noise = Rng(2).normal({6, 4}, {}, at::kDouble);
  std::any history;
  StepContext context{0.6, 0.5, [&](uint32_t) { return noise; }, history};
  const StepResult result =
      PredictorCorrector(std::make_shared<Ddim>(), {.signal_to_noise = 0.2}).step(denoiser, x, context);
  const Tensor predicted = integrate(denoiser, Ddim(), TimeGrid({0.6, 0.5}), x).x;
  const Tensor score = denoiser.estimate(predicted, 0.5).score();
  const double ratio = noise.norm(2, 1).mean().item<double>() / score.norm(2, 1).mean().item<double>();
  const double epsilon = 2 * std::pow(0.2 * ratio, 2);
  EXPECT_LT(worst(result.x, predicted + epsilon * score + std::sqrt(2 * epsilon) * noise), 1e-12);
  EXPECT_EQ(result.evaluations, 2);
}

TEST(Edm, RaisesTheNoiseLevelOnlyWhereItIsTold) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("edm");
  const Tensor x = at::ones({1, 1}, at::kDouble);
  const auto spread = [&](EdmStochastic::Options options) {
    const auto at_noise = [&](double z) {
      std::any history;
      StepContext context{0.5,     0.4, [z](uint32_t) { return at::full({1, 1}, z, at::kDouble); },
                          history, 0,   10};
      return EdmStochastic(options).step(denoiser, x, context).x.item<double>();
    };
    return at_noise(1) - at_noise(0);
  };
  const double level = denoiser.process().sigma(0.5);
  EXPECT_EQ(spread({.churn = 3, .low = 1.01 * level}), 0);
  EXPECT_EQ(spread({.churn = 3, .high = 0.99 * level}), 0);
  EXPECT_GT(spread({.churn = 3, .low = 0.99 * level, .high = 1.01 * level}), 0);
  // gamma is at most sqrt(2) - 1.
  EXPECT_DOUBLE_EQ(spread({.churn = 1e6}), spread({.churn = 10 * (std::sqrt(2.0) - 1)}));
}

TEST(Refusal, SaysWhatMakesNoSenseTogether) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = at::ones({1, 2}, at::kDouble);
  const auto expect = [](const std::function<void()>& work, const std::string& text) {
    EXPECT_NE(refusal_of(work).find(text), std::string::npos) << refusal_of(work);
  };
  expect([&] { DpmPp2S({.ratio = 0}); }, "dpmpp-2s: expected 0 < ratio <= 1 but received 0");
  expect([&] { DpmPp2S({.ratio = 1.5}); }, "received 1.5");
  expect([&] { integrate(denoiser, LinearMultistep(), TimeGrid::uniform(3), x); },
         "lms: expected at least 4 steps");
  expect([&] { integrate(denoiser, Ancestral(), TimeGrid::uniform(3).reversed(), x); },
         "only deterministic methods run from data to noise");
  expect([&] { PredictorCorrector(std::make_shared<Dopri5>()); }, "dopri5, which chooses its own");
  expect([&] { PredictorCorrector(std::make_shared<Ancestral>(), {.relative_step = 2}); },
         "where the chain is stable");
  expect(
      [&] {
        generate(denoiser, Ddim(), TimeGrid::uniform(3).reversed(), {1, 2}, Rng(0));
      },
      "from noise to data");
  expect([&] { TimeGrid::chain(denoiser.process(), 10, ChainSpacing::leading); }, "process of a chain");
  expect([] { LinearMultistep({.order = 5}); }, "from 1 to 4");
  expect([] { Deis({.order = 0}); }, "from 1 to 3");
  expect([] { UniPc({.order = 4}); }, "from 1 to 3");
  expect([] { EdmStochastic({.churn = -1}); }, "churn >= 0");
  expect([] { EdmStochastic({.low = 2, .high = 1}); }, "low <= high");
  expect([] { DpmPpSde({.eta = -0.1}); }, "eta >= 0");
  expect([] { AdaptiveSde({.rtol = 0, .atol = 0}); }, "not both 0");
}

}  // namespace
}  // namespace fokker
