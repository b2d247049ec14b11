#include "fokker/sample/flow_map.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/target/toys.h"
#include "support.h"

namespace fokker {
namespace {

const DormandPrince::Options tight{.rtol = 1e-8, .atol = 1e-8};

/// dx/dt = -x^2 has x(t) = x0 / (1 + x0 t): the error follows the tolerance, in both directions.
TEST(DormandPrinceTest, ReachesItsTolerance) {
  const Tensor x0 = vector_of({0.5, 1.0, 2.0}).unsqueeze(1);
  const OdeRate rate = [](const Tensor& x, double) { return -x.square(); };
  for (const double tolerance : {1e-3, 1e-6, 1e-9}) {
    DormandPrince forward({.rtol = tolerance, .atol = tolerance});
    const Tensor x = forward.advance(rate, x0, 0, 3);
    EXPECT_LT(worst(x, x0 / (1 + 3 * x0)), 10 * tolerance);
    DormandPrince back({.rtol = tolerance, .atol = tolerance});
    EXPECT_LT(worst(back.advance(rate, x0 / (1 + 3 * x0), 3, 0), x0), 100 * tolerance);
  }
}

/// Two calls continue one run: the last rate and the step size carry over.
TEST(DormandPrinceTest, ContinuesAcrossTimes) {
  const OdeRate rate = [](const Tensor& x, double t) { return std::cos(t) * x; };
  const Tensor x0 = at::ones({1, 1}, at::kDouble);
  DormandPrince run({.rtol = 1e-10, .atol = 1e-10});
  const Tensor middle = run.advance(rate, x0, 0, 1);
  EXPECT_NEAR(middle.item<double>(), std::exp(std::sin(1.0)), 1e-8);
  EXPECT_NEAR(run.advance(rate, middle, 1, 2.5).item<double>(), std::exp(std::sin(2.5)), 1e-8);
  EXPECT_THROW(DormandPrince({.rtol = -1, .atol = 1e-3}), Error);
  DormandPrince short_of_breath({.rtol = 1e-12, .atol = 1e-12, .most_steps = 3});
  EXPECT_THROW(short_of_breath.advance(rate, x0, 0, 10), Error);
}

/// One Gaussian: the flow keeps (x_t - m_t) / sd_t, so latents are known in closed form, for every process.
TEST(FlowMapTest, OfAGaussianIsTheClosedForm) {
  const Tensor mean = vector_of({1.0, -2.0}), variance = vector_of({4.0, 0.25});
  const GaussianMixture gaussian = GaussianMixture::gaussian(mean, variance);
  const Tensor x = gaussian.sample(16, Rng(1));
  for (const GaussianProcess& process :
       {GaussianProcess(VariancePreserving{}), GaussianProcess(VarianceExploding{}), GaussianProcess(Flow{}),
        GaussianProcess(SubVariancePreserving{}), GaussianProcess(Cosine{})}) {
    const AnalyticDenoiser denoiser(gaussian, process);
    const double a = process.alpha(1), s = process.sigma(1);
    const Tensor expected = a * mean + (x - mean) / variance.sqrt() * (a * a * variance + s * s).sqrt();
    const FlowMap latent = encode(denoiser, x, tight);
    EXPECT_LT(worst(latent.x, expected), 1e-6 * (1 + s)) << process.schedule()->config().dump();
    EXPECT_LT(worst(decode(denoiser, latent.x, tight).x, x), 1e-5) << process.schedule()->config().dump();
    EXPECT_GT(latent.evaluations, 0);
  }
}

TEST(FlowMapTest, RoundTripOfAMixtureAndOfAFunction) {
  const AnalyticDenoiser exact(*as_gaussian_mixture(*make_target("two-modes")),
                               GaussianProcess(VariancePreserving{}));
  const FunctionDenoiser function(
      [&](const Tensor& x, const Times& t) { return exact.estimate(x, t).noise(); }, exact.process(),
      Prediction::noise());
  const Tensor x = exact.target().sample(50, Rng(2));
  const DormandPrince::Options usual{.rtol = 1e-6, .atol = 1e-6};
  for (const Denoiser* denoiser :
       {static_cast<const Denoiser*>(&exact), static_cast<const Denoiser*>(&function)}) {
    const Tensor latent = encode(*denoiser, x, usual).x;
    const Tensor back = decode(*denoiser, latent, usual).x;
    EXPECT_LT(((back - x).norm() / x.norm()).item<double>(), 1e-4);
  }
}

TEST(GreatCircleTest, KeepsTheNormAndTheAngle) {
  const Tensor a = vector_of({2, 0, 0}), b = vector_of({0, 2, 0});
  const Tensor path = great_circle(a, b, 3);
  EXPECT_LT(worst(path[0], a), 1e-12);
  EXPECT_LT(worst(path[1], vector_of({std::sqrt(2.0), std::sqrt(2.0), 0})), 1e-12);
  EXPECT_LT(worst(path[2], b), 1e-12);
  // Norms are interpolated; opposite points have no one circle.
  EXPECT_NEAR(great_circle(a, 2 * b, 3)[1].norm().item<double>(), 3, 1e-12);
  EXPECT_LT(worst(great_circle(a, -a, 3)[1], at::zeros({3}, at::kDouble)), 1e-12);
  EXPECT_THROW(great_circle(a, b, 1), Error);
}

TEST(GreatCircleTest, SquaresOfFarPointsDoNotOverflow) {
  const Tensor a = vector_of({1e25, 0}).to(at::kFloat), b = vector_of({0, 1e25}).to(at::kFloat);
  const Tensor path = great_circle(a, b, 3);
  EXPECT_EQ(path.scalar_type(), at::kFloat);
  EXPECT_LT(worst(path[1] / 1e25, vector_of({std::sqrt(0.5), std::sqrt(0.5)})), 1e-6);
}

}  // namespace
}  // namespace fokker
