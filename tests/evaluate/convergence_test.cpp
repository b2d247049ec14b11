#include "fokker/evaluate/convergence.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/sample/flow_map.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

// The Gaussian's closed form against the same flow integrated, with a full covariance.
TEST(ExactFlow, AgreesWithDormandPrince) {
  const Tensor covariance = rows_of({{0.5, 0.3}, {0.3, 0.4}});
  const AnalyticDenoiser denoiser(GaussianMixture::gaussian(vector_of({1, -2}), covariance),
                                  process_of("vp"));
  const Tensor x = denoiser.marginal(0.9).sample(20, Rng(1));
  const Tensor closed = exact_flow(denoiser, x, 0.9, 0.1);
  const Tensor integrated =
      integrate(denoiser, Dopri5({.rtol = 1e-12, .atol = 1e-12}), TimeGrid({0.9, 0.1}), x).x;
  EXPECT_LT(worst(closed, integrated), 1e-10);
  EXPECT_LT(worst(exact_flow(denoiser, closed, 0.1, 0.9), x), 1e-12) << "and back";
}

// The mixture's reference against Runge-Kutta of order 4 in 1000 steps: both to 1e-10.
TEST(ExactFlow, OfAMixtureIsAccurateToTenDigits) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(0.9).sample(20, Rng(1));
  const TimeGrid fine = TimeGrid::uniform(1000, {.start = 0.9, .end = 0.1});
  EXPECT_LT(worst(exact_flow(denoiser, x, 0.9, 0.1), integrate(denoiser, RungeKutta4(), fine, x).x), 1e-10);
}

// One step of Euler-Maruyama written out: x + h b(x) + sqrt(h) g z with b affine.
TEST(AffineResponse, IsTheStepItself) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const auto& schedule = denoiser.process().schedule();
  const auto response = affine_response(denoiser, EulerMaruyama(), TimeGrid({0.5, 0.4}));
  ASSERT_TRUE(response.has_value());
  const double g2 = schedule->diffusion_squared(0.5), v = denoiser.marginal(0.5).covariance().item<double>();
  const double m = denoiser.marginal(0.5).mean().item<double>();
  EXPECT_NEAR(response->slope, 1 + 0.1 * (-schedule->drift(0.5) - g2 / v), 1e-12);
  EXPECT_NEAR(response->offset, 0.1 * g2 * m / v, 1e-12);
  ASSERT_EQ(response->noise.size(), 1u);
  EXPECT_NEAR(response->noise[0], std::sqrt(0.1 * g2), 1e-12);
  EXPECT_EQ(response->evaluations, 1);
}

TEST(AffineResponse, IsEmptyWhereARunIsNotAffine) {
  const TimeGrid grid = TimeGrid::uniform(3, {.start = 0.9, .end = 0.5});
  EXPECT_FALSE(affine_response(gaussian_denoiser("vp"), Dopri5(), grid));
  EXPECT_FALSE(
      affine_response(gaussian_denoiser("vp"), PredictorCorrector(std::make_shared<Ancestral>()), grid));
  const AnalyticDenoiser two_points(GaussianMixture::empirical(rows_of({{-1}, {1}})), process_of("vp"));
  EXPECT_FALSE(affine_response(two_points, EulerMaruyama(), grid));
}

// Where the data is known to be zero, a step to it forgets x, and is affine all the same.
TEST(AffineResponse, MayBeNothingAtAll) {
  const FunctionDenoiser point([](const Tensor& x, const Times&) { return at::zeros_like(x); },
                               process_of("vp"), Prediction::data());
  const auto response = affine_response(point, Ddim(), TimeGrid({0.5, 0}));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->slope, 0);
  EXPECT_EQ(response->offset, 0);
}

// Sampled and computed moments of one law agree within the Monte Carlo error.
TEST(MeasureConvergence, SamplesWhatItCannotCompute) {
  const AnalyticDenoiser line = gaussian_denoiser("vp");
  const GaussianMixture twice = GaussianMixture::gaussian(vector_of({0.8, 0.8}), vector_of({0.16, 0.16}));
  const AnalyticDenoiser plane(twice, process_of("vp"));
  const ConvergenceOptions options{.steps = {8}, .samples = 40'000};
  const double exact =
      measure_convergence(line, EulerMaruyama(), ErrorMeasure::covariance, options).levels[0].error;
  const double sampled =
      measure_convergence(plane, EulerMaruyama(), ErrorMeasure::covariance, options).levels[0].error;
  const double variance = line.marginal(0.1).covariance().item<double>() + exact;
  EXPECT_NEAR(sampled, exact, 5 * variance * std::sqrt(2.0 / 40'000));
  EXPECT_GT(exact, 0.05);
}

TEST(MeasureConvergence, CountsEvaluationsAndTakesTheSlope) {
  const Convergence found = measure_convergence(gaussian_denoiser("vp"), RungeKutta4(), ErrorMeasure::path,
                                                {.steps = {10, 20}, .samples = 4});
  EXPECT_EQ(found.levels[1].evaluations, 80);
  EXPECT_NEAR(found.order(), std::log2(found.levels[0].error / found.levels[1].error), 1e-12);
}

// On a whole run the angles reach sigma = 0, where the flow in t stops at time_min: sigma/alpha = 0.005, and
// the estimate taken there is off by sigma^2 times a derivative.
TEST(ExactFlow, ReachesCleanData) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(1).sample(20, Rng(1));
  const Tensor exact = exact_flow(denoiser, x, 1, 0);
  const Dopri5 in_time({.rtol = 1e-10, .atol = 1e-10});
  EXPECT_LT(worst(exact, integrate(denoiser, in_time, TimeGrid({1.0, 0.0}), x).x), 2e-3);
  EXPECT_LT(worst(encode(denoiser, exact, {.rtol = 1e-12, .atol = 1e-12}).x, x), 1e-9) << "and back";
}

TEST(PathErrors, AreThoseOfTheFlow) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const ConvergenceOptions options{.steps = {10, 20}, .samples = 64};
  const Convergence known = measure_convergence(denoiser, Heun(), ErrorMeasure::path, options);
  const Tensor x = denoiser.marginal(0.95).sample(64, options.rng.stream("starts"));
  const auto grid = [](int64_t n) { return TimeGrid::uniform(n, {.start = 0.95, .end = 0.1}); };
  const Convergence found =
      path_errors(denoiser, Heun(), {grid(10), grid(20)}, x, exact_flow(denoiser, x, 0.95, 0.1));
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(found.levels[i].error, known.levels[i].error, 1e-12);
  EXPECT_NE(refusal_of([&] { path_errors(denoiser, Ancestral(), {grid(10)}, x, x); }).find("without noise"),
            std::string::npos);
}

// A share p of n exact samples has variance p (1 - p)/n; the mean square of 4 draws is chi-squared over 4,
// inside these bounds but for one in a thousand.
TEST(SamplingError, IsThatOfAShare) {
  const AnalyticDenoiser denoiser(
      GaussianMixture(vector_of({0.2, 0.8}), rows_of({{-5, -5}, {5, 5}}), vector_of({1, 1})),
      process_of("vp"));
  const double error = sampling_error(denoiser, ErrorMeasure::weights, 0, {.samples = 10'000});
  const double deviation = std::sqrt(0.16 / 10'000);
  EXPECT_GT(error, 0.15 * deviation);
  EXPECT_LT(error, 2.15 * deviation);
  EXPECT_NE(refusal_of([] {
              measure_convergence(gaussian_denoiser("vp"), Heun(), ErrorMeasure::weights);
            }).find("several components"),
            std::string::npos);
}

TEST(Convergence, TakesTheSlopeAboveRounding) {
  const Convergence found{{{10, 10, 1e-2}, {20, 20, 2.5e-3}, {40, 40, 1e-15}}};
  EXPECT_NEAR(found.order_above(1e-11).value(), 2, 1e-12);
  EXPECT_FALSE(found.order_above(5e-3).has_value());
}

TEST(MeasureConvergence, RefusesWhatHasNoMeaning) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  EXPECT_NE(
      refusal_of([&] { measure_convergence(denoiser, Ancestral(), ErrorMeasure::path); }).find("draws noise"),
      std::string::npos);
  EXPECT_NE(
      refusal_of([&] { measure_convergence(denoiser, Ddim(), ErrorMeasure::strong); }).find("draws no noise"),
      std::string::npos);
  EXPECT_NE(refusal_of([] { error_measure_from("pathh"); }).find("valid names: path, strong"),
            std::string::npos);
}

// Noise that a method never draws cannot be shared with a finer run.
TEST(MeasureConvergence, RefusesAStrongErrorWithoutNoise) {
  for (const AnalyticDenoiser& denoiser : {gaussian_denoiser("vp"), mixture_denoiser("vp")}) {
    const auto refusal = [&](const Sampler& sampler, ConvergenceOptions options) {
      return refusal_of([&] { measure_convergence(denoiser, sampler, ErrorMeasure::strong, options); });
    };
    EXPECT_THAT(refusal(EdmStochastic({.low = 1e6, .high = 2e6}), {}),
                ::testing::HasSubstr("draws no noise"));
    EXPECT_THAT(
        refusal(Ancestral(), {.steps = {1, 2}, .grid = [](int64_t n) { return TimeGrid::uniform(n); }}),
        ::testing::HasSubstr("draws no noise in 1 step"));
    EXPECT_THAT(refusal(AdaptiveSde(), {}), ::testing::HasSubstr("chooses its own steps"));
  }
}

}  // namespace
}  // namespace fokker
