#include "fokker/sample/chain/langevin.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"
#include "support.h"

namespace fokker {
namespace {

GaussianMixture gaussian(double mean, double variance) {
  return GaussianMixture::gaussian(at::full({1}, mean, at::kDouble), at::full({1}, variance, at::kDouble));
}

/// S2: 1/5 N((-5,-5), I) + 4/5 N((5,5), I).
GaussianMixture distant_modes() {
  return GaussianMixture(vector_of({0.2, 0.8}), rows_of({{-5, -5}, {5, 5}}),
                         at::ones({1}, at::kDouble).squeeze());
}

double share_of_first(const Tensor& x) {
  return x.sum(1).lt(0).to(at::kDouble).mean().item<double>();
}

/// A kernel on a Gaussian maps (x, v) linearly with Gaussian noise: its stationary second moments are the
/// fixed point of S -> A S A^T + C C^T, found without Monte Carlo error.
struct Moments {
  double position, velocity, correlation;
};
Moments stationary(const MarkovKernel& kernel, const Distribution& target, int iterations = 20000) {
  const auto respond = [&](double x, double v, double z) {
    ChainState state{.x = at::full({1, 1}, x, at::kDouble),
                     .velocity = at::full({1, 1}, v, at::kDouble),
                     .score = {},
                     .log_density = {}};
    state.score = target.score(state.x);
    kernel.step(target, state, [&](uint32_t) { return at::full({1, 1}, z, at::kDouble); });
    return std::pair{state.x.item<double>(), state.velocity.item<double>()};
  };
  const auto [xx, vx] = respond(1, 0, 0);
  const auto [xv, vv] = respond(0, 1, 0);
  const auto [xz, vz] = respond(0, 0, 1);
  double a = 1, b = 0, c = 1;  // E x^2, E x v, E v^2
  for (int i = 0; i < iterations; ++i) {
    const double a2 = xx * xx * a + 2 * xx * xv * b + xv * xv * c + xz * xz;
    const double b2 = xx * vx * a + (xx * vv + xv * vx) * b + xv * vv * c + xz * vz;
    const double c2 = vx * vx * a + 2 * vx * vv * b + vv * vv * c + vz * vz;
    a = a2, b = b2, c = c2;
  }
  return {a, c, b};
}

TEST(Ula, HasTheStationaryVarianceOfTheClosedForm) {
  for (const double v : {1.0, 0.25, 4.0})
    for (const double h : {0.01, 0.1, 0.4}) {
      const double expected = v / (1 - h / (2 * v));
      // x' = (1 - h/v) x + sqrt(2h) z, so V = (1 - h/v)^2 V + 2h.
      double variance = 0;
      const GaussianMixture target = gaussian(0, v);
      const double slope =
          langevin_step(at::ones({1, 1}, at::kDouble), target.score(at::ones({1, 1}, at::kDouble)), h,
                        at::zeros({1, 1}, at::kDouble))
              .item<double>();
      const double kick = langevin_step(at::zeros({1, 1}, at::kDouble), at::zeros({1, 1}, at::kDouble), h,
                                        at::ones({1, 1}, at::kDouble))
                              .item<double>();
      variance = kick * kick / (1 - slope * slope);
      EXPECT_NEAR(variance, expected, 1e-12 * expected) << v << " " << h;
    }
  // And a run of the chain itself, within Monte Carlo error 4 sqrt(2/n).
  const int64_t n = 20'000;
  const double h = 0.5;
  const ChainRun run = run_chain(Ula(h), gaussian(0.7, 1.0), at::zeros({n, 1}, at::kDouble),
                                 Rng(1).noise_source(at::kDouble), {.steps = 40, .observers = {}});
  const double expected = 1 / (1 - h / 2), error = std::sqrt(2.0 / static_cast<double>(n));
  EXPECT_NEAR(run.x.var().item<double>() / expected, 1, 4 * error);
  EXPECT_GT(std::abs(run.x.var().item<double>() - 1), 10 * error)
      << "the bias must be visible at this step size";
  EXPECT_NEAR(run.x.mean().item<double>(), 0.7, 4 * std::sqrt(expected / static_cast<double>(n)));
  EXPECT_EQ(run.evaluations, 40);
  EXPECT_FALSE(run.acceptance.has_value()) << "nothing is refused";
}

TEST(Mala, HasNoBiasAtTheSameStepSize) {
  const int64_t n = 20'000;
  const ChainRun run = run_chain(Mala(0.5), gaussian(0.7, 1.0), at::zeros({n, 1}, at::kDouble),
                                 Rng(2).noise_source(at::kDouble), {.steps = 60, .observers = {}});
  EXPECT_NEAR(run.x.var().item<double>(), 1, 4 * std::sqrt(2.0 / static_cast<double>(n)));
  EXPECT_NEAR(run.x.mean().item<double>(), 0.7, 4 / std::sqrt(static_cast<double>(n)));
  EXPECT_GT(run.acceptance.value(), 0.8);
  EXPECT_LT(run.acceptance.value(), 0.999);
}

// Started in the target's own law, one step leaves it there: moments of a skewed mixture, at a large step.
TEST(Mala, LeavesTheTargetInvariant) {
  const GaussianMixture target(vector_of({0.3, 0.7}), rows_of({{-1.0}, {1.2}}), vector_of({0.2, 0.6}));
  const int64_t n = 200'000;
  const Tensor start = target.sample(n, Rng(3));
  const auto third = [](const Tensor& x) { return x.pow(3).mean().item<double>(); };
  const double exact_third = 0.3 * (-1 - 3 * 0.2) + 0.7 * (1.2 * 1.2 * 1.2 + 3 * 1.2 * 0.6);
  const double error = std::sqrt(start.pow(3).var().item<double>() / static_cast<double>(n));
  const NoiseSource noise = Rng(4).noise_source(at::kDouble);
  const ChainRun mala = run_chain(Mala(1.0), target, start, noise, {.steps = 5, .observers = {}});
  EXPECT_NEAR(third(mala.x), exact_third, 4 * error);
  EXPECT_LT(mala.acceptance.value(), 0.9);
  const ChainRun ula = run_chain(Ula(1.0), target, start, noise, {.steps = 5, .observers = {}});
  EXPECT_GT(std::abs(third(ula.x) - exact_third), 20 * error) << "unadjusted, the same step is biased";
}

// Detailed balance needs only differences of the log density.
TEST(Mala, DoesNotSeeTheNormalisingConstant) {
  const GaussianMixture target = distant_modes();
  const FunctionDistribution shifted(
      {.dimension = 2,
       .log_density = [&](const Tensor& x) { return target.log_density(x) + 100; },
       .score = [&](const Tensor& x) { return target.score(x); },
       .sample = {},
       .normalised = false});
  const Tensor start = Rng(1).normal({50, 2}, {}, at::kDouble);
  const NoiseSource noise = Rng(2).noise_source(at::kDouble);
  const ChainOptions options{.steps = 20, .observers = {}};
  EXPECT_LT(worst(run_chain(Mala(0.5), target, start, noise, options).x,
                  run_chain(Mala(0.5), shifted, start, noise, options).x),
            1e-9);
}

TEST(UnderdampedLangevin, HasExactPositionsOnAGaussian) {
  for (const double deviation : {1.0, 0.5})
    for (const double h : {0.1, 0.4, 0.9 * deviation})
      for (const double friction : {0.5, 2.0}) {
        const Moments m = stationary(UnderdampedLangevin({.step = h, .friction = friction}),
                                     gaussian(0, deviation * deviation));
        EXPECT_NEAR(m.position, deviation * deviation, 1e-9) << h;
        EXPECT_NEAR(m.velocity, 1 - h * h / (4 * deviation * deviation), 1e-9) << h;
        EXPECT_NEAR(m.correlation, 0, 1e-9) << h;
      }
}

TEST(UnderdampedLangevin, RunsToTheTargetsMoments) {
  const int64_t n = 20'000;
  const ChainRun run = run_chain(UnderdampedLangevin({.step = 0.5, .friction = 1.5}), gaussian(-2, 2.25),
                                 at::zeros({n, 1}, at::kDouble), Rng(5).noise_source(at::kDouble),
                                 {.steps = 80, .observers = {}});
  EXPECT_NEAR(run.x.mean().item<double>(), -2, 4 * 1.5 / std::sqrt(static_cast<double>(n)));
  EXPECT_NEAR(run.x.var().item<double>() / 2.25, 1, 4 * std::sqrt(2.0 / static_cast<double>(n)));
  EXPECT_EQ(run.evaluations, 81) << "one score for each step, and the first";
}

TEST(RunChain, DoesNotDependOnTheBlocks) {
  const GaussianMixture target = distant_modes();
  const Tensor start = Rng(1).normal({10, 2}, {}, at::kDouble);
  const NoiseSource noise = Rng(2).noise_source(at::kDouble);
  std::vector<std::shared_ptr<MarkovKernel>> kernels = {
      std::make_shared<Ula>(0.1), std::make_shared<Mala>(0.3),
      std::make_shared<UnderdampedLangevin>(UnderdampedLangevin::Options())};
  for (const auto& kernel : kernels) {
    const Tensor whole = run_chain(*kernel, target, start, noise, {.steps = 30, .observers = {}}).x;
    const Tensor split =
        run_chain(*kernel, target, start, noise, {.steps = 30, .block = 3, .observers = {}}).x;
    EXPECT_EQ(worst(whole, split), 0) << kernel->name();
    const Tensor tail = run_chain(*kernel, target, start.narrow(0, 4, 6), noise,
                                  {.steps = 30, .first_sample = 4, .observers = {}})
                            .x;
    EXPECT_EQ(worst(whole.narrow(0, 4, 6), tail), 0) << kernel->name();
  }
}

TEST(RunChain, ObserversSeeEveryState) {
  Trajectory states(3, {4, 1}, at::kDouble);
  const ChainRun run =
      run_chain(Ula(0.1), gaussian(0, 1), at::ones({4, 1}, at::kDouble), Rng(1).noise_source(at::kDouble),
                {.steps = 3, .block = 2, .observers = {states.observer()}});
  EXPECT_EQ(worst(states.states()[0], at::ones({4, 1}, at::kDouble)), 0);
  EXPECT_EQ(worst(states.states()[3], run.x), 0);
  EXPECT_GT(worst(states.states()[2], run.x), 0);
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunChain, RefusesWhatMakesNoSense) {
  const GaussianMixture target = gaussian(0, 1);
  const Tensor start = at::ones({4, 1}, at::kDouble);
  const NoiseSource noise = Rng(1).noise_source(at::kDouble);
  const auto contains = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  contains(refusal([] { Ula(0); }), "ula: expected a step size > 0 but received 0");
  contains(refusal([] { Mala(-1); }), "mala: expected a step size > 0 but received -1");
  contains(refusal([] { UnderdampedLangevin({.friction = 0}); }), "expected friction > 0 but received 0");
  contains(refusal([] { AnnealedLangevin({.relative_step = 2}); }), "0 < h / sigma^2 < 2");
  contains(refusal([] { AnnealedLangevin({.inner = 0}); }), "inner steps but received 0");
  contains(refusal([&] { run_chain(Ula(5), target, start, noise, {.steps = 1000, .observers = {}}); }),
           "ula: a chain left the range of numbers at step");
  contains(refusal([&] {
             run_chain(Ula(1), target, at::ones({4, 2}, at::kDouble), noise);
           }),
           "rows of 1 numbers");
  contains(refusal([&] { run_chain(Ula(1), target, start, noise, {.steps = 0, .observers = {}}); }),
           "steps > 0");
  contains(refusal([&] { run_chain(Ula(1), target, start, nullptr); }), "no noise source");
  const GaussianMixture points = GaussianMixture::empirical(start);
  contains(refusal([&] { run_chain(Mala(1), points, start, noise); }), "no density");
}

// S2, sections 4.3 and 4.4: from one mode, ULA stays there; annealed, it finds the weights 1/5 and 4/5.
TEST(AnnealedLangevin, FindsTheWeightsThatUlaMisses) {
  const int64_t n = 2000;
  const GaussianMixture target = distant_modes();
  const Tensor mode = at::full({n, 2}, 5.0, at::kDouble);
  const NoiseSource noise = Rng(7).noise_source(at::kDouble);
  EXPECT_EQ(share_of_first(run_chain(Ula(0.1), target, mode, noise, {.steps = 400, .observers = {}}).x), 0);

  const AnalyticDenoiser denoiser(target,
                                  GaussianProcess(VarianceExploding{.sigma_min = 0.1, .sigma_max = 25}));
  const AnnealedLangevin sampler({.inner = 40, .relative_step = 0.1});
  const Integration run =
      integrate(denoiser, sampler, TimeGrid::uniform(15), mode, {.noise = noise, .observers = {}});
  const double share = share_of_first(run.x), error = std::sqrt(0.2 * 0.8 / static_cast<double>(n));
  EXPECT_NEAR(share, 0.2, 4 * error + 0.01);
  // Sixteen levels of forty steps, and the denoised estimate at the end.
  EXPECT_EQ(run.evaluations, 16 * 40 + 1);
  const Tensor upper = run.x.index({run.x.sum(1) > 0});
  EXPECT_LT(worst(upper.mean(0), vector_of({5, 5})), 0.15);
  EXPECT_NEAR(upper.select(1, 0).var().item<double>(), 1, 0.2);
}

// On one level with a Gaussian each inner step is linear: the variance follows the recursion of h_i = c
// sigma_i^2.
TEST(AnnealedLangevin, TakesStepsInProportionToTheVariance) {
  for (const GaussianProcess& process :
       {GaussianProcess(VarianceExploding{.sigma_min = 0.5, .sigma_max = 2}),
        GaussianProcess(VariancePreserving{.beta_min = 0.1, .beta_max = 2})}) {
    const AnalyticDenoiser denoiser(gaussian(0, 0.25), process);
    const AnnealedLangevin sampler({.inner = 3, .relative_step = 0.2});
    std::any history;
    const auto run = [&](double x, bool noise) {
      history.reset();
      uint32_t expected_draw = 0;
      StepContext context{1.0, 0.5,
                          [&](uint32_t draw) {
                            EXPECT_EQ(draw, expected_draw++) << "draws are numbered without a gap";
                            return at::full({1, 1}, noise ? 1.0 : 0.0, at::kDouble);
                          },
                          history};
      return sampler.step(denoiser, at::full({1, 1}, x, at::kDouble), context);
    };
    double slope = 1, shift = 0;
    for (const double t : {1.0, 0.5}) {
      const double noise = process.sigma(t) * process.sigma(t), h = 0.2 * noise;
      const double v = 0.25 * process.alpha(t) * process.alpha(t) + noise;
      // Between levels the chain of x/alpha goes on.
      const double rescale = t == 0.5 ? process.alpha(0.5) / process.alpha(1.0) : 1.0;
      slope *= rescale;
      shift *= rescale;
      for (int k = 0; k < 3; ++k) {
        slope *= 1 - h / v;
        shift = shift * (1 - h / v) + std::sqrt(2 * h);
      }
    }
    EXPECT_NEAR(run(1, false).x.item<double>(), slope, 1e-12);
    EXPECT_NEAR(run(0, true).x.item<double>(), shift, 1e-12);
    EXPECT_EQ(run(0, true).evaluations, 6);
  }
}

// Under a variance preserving process the last level is followed by the denoised estimate at t = 0.
TEST(AnnealedLangevin, ReachesAGaussianUnderAVariancePreservingProcess) {
  const GaussianProcess vp(VariancePreserving{});
  const AnalyticDenoiser denoiser(gaussian(0.5, 0.3), vp);
  const AnnealedLangevin sampler({.inner = 100, .relative_step = 0.1});
  const int64_t n = 1000;
  const Integration run =
      generate(denoiser, sampler, TimeGrid::uniform_log_snr(vp, 25), {n, 1}, Rng(3), at::kDouble);
  EXPECT_NEAR(run.x.mean().item<double>(), 0.5, 0.07);
  EXPECT_NEAR(run.x.var().item<double>(), 0.3, 0.075);
  EXPECT_EQ(run.evaluations, 25 * 100 + 1);
}

}  // namespace
}  // namespace fokker
