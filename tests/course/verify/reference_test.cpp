// The references that checks compare with, against cases known by hand.
#include <gtest/gtest.h>

#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/fit.h"
#include "fokker/course/verify/quadrature.h"
#include "support.h"

namespace fokker::verify {
namespace {

TEST(Quadrature, NormalLaw) {
  const Line nodes = line(-20, 22, 2000);
  const Tensor log_p = normal_log_density(nodes.x, 1.0, 4.0);
  EXPECT_NEAR(nodes.integral(log_p.exp()), 1, 1e-13);
  EXPECT_NEAR(expectation(log_p, nodes.x), 1, 1e-12);
  EXPECT_NEAR(variance_under(log_p, nodes.x), 4, 1e-11);
}

TEST(Quadrature, OrderOfAPower) {
  EXPECT_NEAR(observed_order({0.4, 0.2, 0.1}, {0.064, 0.008, 0.001}), 3, 1e-12);
}

TEST(LineMixtureTest, DensityDistributionAndScoreAgree) {
  const LineMixture law({0.3, 0.7}, {-1, 2}, {0.5, 0});
  const double alpha = 0.8, sigma = 0.6, h = 1e-5;
  const Tensor x = vector_of({-1.5, 0.1, 2.0});
  const auto slope = [&](auto f) { return (f(x + h) - f(x - h)) / (2 * h); };
  const auto log_density = [&](const Tensor& y) { return law.log_density(y, alpha, sigma); };
  const auto distribution = [&](const Tensor& y) { return law.distribution(y, alpha, sigma); };
  EXPECT_LT(worst(slope(distribution), log_density(x).exp()), 1e-9);
  EXPECT_LT(worst(slope(log_density), law.score(x, alpha, sigma)), 1e-8);
  EXPECT_LT(worst(law.noise(x, alpha, sigma), -sigma * law.score(x, alpha, sigma)), 1e-14);
  EXPECT_DOUBLE_EQ(law.mean(), 1.1);
  EXPECT_NEAR(law.variance(), 0.3 * 0.5 + 0.3 * 2.1 * 2.1 + 0.7 * 0.9 * 0.9, 1e-14);
}

TEST(ChainTableTest, ByHand) {
  const ChainTable chain({0.5, 0.2});
  EXPECT_DOUBLE_EQ(chain.alphabar(2), 0.4);
  EXPECT_DOUBLE_EQ(chain.beta_tilde(1), 0);
  EXPECT_DOUBLE_EQ(chain.beta_tilde(2), 0.5 / 0.6 * 0.2);
  EXPECT_DOUBLE_EQ(chain.noise_weight(2), 0.2 / (2 * 0.8 * 0.6));
  std::vector<Tensor> states;
  walk(chain, at::ones({1, 1}, at::kDouble), Rng(0), [&](int64_t, const Tensor& x) { states.push_back(x); },
       {.deviation = [](double) { return 0.0; }});
  ASSERT_EQ(states.size(), 3u);
  EXPECT_NEAR(states[2].item<double>(), std::sqrt(0.4), 1e-12);
}

/// For normal data E[eps | x] is linear, so the least loss and a linear model's excess are known.
TEST(NoiseLosses, NormalData) {
  const ChainTable chain({0.3, 0.4});
  const LineMixture data({1}, {0}, {2});
  double least = 0, excess = 0;
  for (int64_t i = 1; i <= 2; ++i) {
    const double s = chain.sigma(i), c = 1 + chain.alphabar(i);
    least += (1 - s * s / c) / 2;
    excess += std::pow(s / c - 0.5, 2) * c / 2;
  }
  const FunctionDenoiser half([](const Tensor& x, const Times&) { return 0.5 * x; }, chain.process(),
                              Prediction::noise());
  EXPECT_NEAR(least_loss(data, chain), least, 1e-10);
  EXPECT_NEAR(excess_loss(half, data, chain), excess, 1e-6);
}

}  // namespace
}  // namespace fokker::verify
