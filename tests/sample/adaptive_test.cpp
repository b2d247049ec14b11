#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/evaluate/convergence.h"
#include "fokker/sample/step/brownian_memory.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

/// The tolerance's own measure: the largest over the rows of |error| / (tolerance (1 + |x|)).
double in_tolerances(const Tensor& x, const Tensor& exact, double tolerance) {
  return ((x - exact).abs() / (tolerance * (1 + exact.abs()))).max().item<double>();
}

// Global error within a factor 10 of the tolerance, over six decades, and not orders below it.
TEST(Dopri5, MeetsItsTolerance) {
  for (const char* spec : {"vp", "sub-vp", "flow", "ve:sigma_max=10"}) {
    const AnalyticDenoiser line = gaussian_denoiser(spec), plane = mixture_denoiser(spec);
    for (const AnalyticDenoiser* denoiser : {&line, &plane}) {
      const Tensor x = denoiser->marginal(0.95).sample(32, Rng(1));
      const Tensor exact = exact_flow(*denoiser, x, 0.95, 0.1);
      for (double tolerance = 1e-3; tolerance > 0.9e-9; tolerance /= 10) {
        const Integration run =
            integrate(*denoiser, Dopri5({.rtol = tolerance, .atol = tolerance}), TimeGrid({0.95, 0.1}), x);
        const double error = in_tolerances(run.x, exact, tolerance);
        EXPECT_LT(error, 10) << spec << " at " << tolerance;
        EXPECT_GT(error, 1e-4) << spec << " at " << tolerance << ": far more work than was asked for";
      }
    }
  }
}

TEST(Dopri5, CountsItsWork) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  int64_t calls = 0;
  const FunctionDenoiser counting(
      [&](const Tensor& x, const Times& t) {
        ++calls;
        return denoiser.estimate(x, t).noise();
      },
      denoiser.process(), Prediction::noise());
  const Tensor x = denoiser.marginal(1).sample(20, Rng(1));
  const Integration run = integrate(counting, Dopri5({.rtol = 1e-6, .atol = 1e-6}), TimeGrid({1, 0.5, 0}), x);
  EXPECT_EQ(run.evaluations, calls);
  EXPECT_GT(run.rejected, 0) << "near the data this flow turns sharply";
}

// Times of the grid are where it is looked at, not its steps: more of them change only where a step is cut.
TEST(Dopri5, DoesNotDependOnWhereItIsLookedAt) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(0.95).sample(20, Rng(1));
  const Dopri5 sampler({.rtol = 1e-9, .atol = 1e-9});
  const Integration once = integrate(denoiser, sampler, TimeGrid({0.95, 0.1}), x);
  const Integration often =
      integrate(denoiser, sampler, TimeGrid::uniform(5, {.start = 0.95, .end = 0.1}), x);
  EXPECT_LT(worst(once.x, often.x), 1e-7);
  EXPECT_LT(often.evaluations, once.evaluations + 5 * 14);
}

TEST(Dopri5, ReturnsToItsStart) {
  const AnalyticDenoiser denoiser = mixture_denoiser("flow");
  const Tensor x = denoiser.marginal(0.05).sample(20, Rng(1));
  const Dopri5 sampler({.rtol = 1e-10, .atol = 1e-10});
  const TimeGrid grid({0.95, 0.05});
  const Tensor noise = integrate(denoiser, sampler, grid.reversed(), x).x;
  EXPECT_LT(worst(integrate(denoiser, sampler, grid, noise).x, x), 1e-7);
}

TEST(Dopri5, RefusesAToleranceThatIsNone) {
  EXPECT_NE(refusal_of([] { Dopri5({.rtol = 0, .atol = 0}); }).find("not both 0"), std::string::npos);
  EXPECT_NE(refusal_of([] { Dopri5({.rtol = -1}); }).find("rtol = -1"), std::string::npos);
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(0.9).sample(2, Rng(1));
  const Dopri5 short_breath({.rtol = 1e-9, .atol = 1e-9, .most_steps = 3});
  EXPECT_NE(refusal_of([&] {
              integrate(denoiser, short_breath, TimeGrid({0.9, 0.1}), x);
            }).find("within 3 steps"),
            std::string::npos);
}

// Looking ahead, and then less far, must leave a Brownian path: increments of unit rate, independent of each
// other.
TEST(BrownianMemory, KeepsThePathsLaw) {
  const int64_t n = 40'000;
  uint32_t draws = 0;
  const auto draw = [&] { return Rng(5).normal({n}, {.step = draws++}, at::kDouble); };
  BrownianMemory path;
  const Tensor far = path.increment(1.0, draw);
  const Tensor near = path.increment(0.3, draw);
  path.advance(0.3);
  const Tensor middle = path.increment(0.5, draw);
  path.advance(0.5);
  const Tensor rest = path.increment(0.2, draw);
  EXPECT_LT(worst(near + middle + rest, far), 1e-12) << "what was known stays known";
  const double error = 4 * std::sqrt(2.0 / static_cast<double>(n));
  EXPECT_NEAR(near.var().item<double>() / 0.3, 1, error);
  EXPECT_NEAR(middle.var().item<double>() / 0.5, 1, error);
  EXPECT_NEAR(rest.var().item<double>() / 0.2, 1, error);
  EXPECT_NEAR((near * middle).mean().item<double>() / std::sqrt(0.15), 0, error);
  EXPECT_NEAR((middle * rest).mean().item<double>() / std::sqrt(0.1), 0, error);
  path.advance(0.2);
  const Tensor fresh = path.increment(0.4, draw);
  EXPECT_NEAR(fresh.var().item<double>() / 0.4, 1, error);
  EXPECT_NEAR((fresh * far).mean().item<double>() / std::sqrt(0.4), 0, error);
}

// The law at the end, moments within four standard errors and the tolerance; steps are rejected on the way.
TEST(AdaptiveSde, FindsTheLaw) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const int64_t n = 4'000;
  const Tensor x = denoiser.marginal(1).sample(n, Rng(1));
  const AdaptiveSde sampler({.rtol = 0.01, .atol = 0.01});
  const Integration run = integrate(denoiser, sampler, TimeGrid({1, 0.05}), x,
                                    {.noise = Rng(2).noise_source(at::kDouble), .block = n, .observers = {}});
  const GaussianMixture exact = denoiser.marginal(0.05);
  const double variance = exact.covariance().item<double>();
  EXPECT_NEAR(run.x.mean().item<double>(), exact.mean().item<double>(),
              4 * std::sqrt(variance / static_cast<double>(n)) + 0.01);
  EXPECT_NEAR(run.x.var().item<double>() / variance, 1, 4 * std::sqrt(2.0 / static_cast<double>(n)) + 0.01);
  EXPECT_GT(run.rejected, 0);
}

TEST(AdaptiveSde, WorksHarderForATighterTolerance) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(0.9).sample(200, Rng(1));
  const auto work = [&](double tolerance) {
    return integrate(denoiser, AdaptiveSde({.rtol = tolerance, .atol = tolerance}), TimeGrid({0.9, 0.2}), x,
                     {.noise = Rng(2).noise_source(at::kDouble), .observers = {}})
        .evaluations;
  };
  EXPECT_GT(work(0.003), 2 * work(0.03));
}

TEST(AdaptiveSde, SaysWhereTheFlowsSdeIsSingular) {
  const AnalyticDenoiser denoiser = mixture_denoiser("flow");
  const IntegrateOptions options{.noise = Rng(2).noise_source(at::kDouble), .observers = {}};
  EXPECT_NE(refusal_of([&] {
              integrate(denoiser, AdaptiveSde(), TimeGrid({1, 0.1}), at::zeros({1, 2}, at::kDouble), options);
            }).find("start at t <= 0.999"),
            std::string::npos);
}

}  // namespace
}  // namespace fokker
