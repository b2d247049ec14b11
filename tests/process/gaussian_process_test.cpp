#include "fokker/process/gaussian_process.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "support.h"

namespace fokker {
namespace {

const std::vector<std::string> every_process = {"vp",  "vp-cosine", "vp-constant",      "sub-vp", "ve",
                                                "edm", "flow",      "brownian:sigma=2", "ddpm"};

GaussianProcess process(const std::string& spec) {
  return GaussianProcess(make_schedule(spec));
}

TEST(Transition, ComposesLikeAMarkovProcess) {
  for (const auto& spec : every_process) {
    const GaussianProcess p = process(spec);
    const auto first = p.transition(0.2, 0.5), second = p.transition(0.5, 0.9),
               whole = p.transition(0.2, 0.9);
    EXPECT_NEAR(whole.scale, first.scale * second.scale, 1e-12 * whole.scale) << spec;
    EXPECT_NEAR(whole.variance, second.scale * second.scale * first.variance + second.variance,
                1e-11 * whole.variance)
        << spec;
  }
}

TEST(Transition, FromTheDataIsTheMarginal) {
  for (const auto& spec : {"vp", "vp-cosine", "sub-vp", "flow", "brownian", "ddpm"}) {
    const GaussianProcess p = process(spec);
    const auto t = p.transition(0, 0.7);
    EXPECT_NEAR(t.scale, p.alpha(0.7), 1e-14);
    EXPECT_NEAR(t.variance, p.sigma(0.7) * p.sigma(0.7), 1e-13) << spec;
  }
}

// S1: q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t).
TEST(Transition, OfAChainIsOneStep) {
  const GaussianProcess p = process("ddpm");
  for (int i : {1, 2, 500, 1000}) {
    const double beta = 1e-4 + (0.02 - 1e-4) * (i - 1) / 999.0;
    const auto step = p.transition((i - 1) / 1000.0, i / 1000.0);
    EXPECT_NEAR(step.scale, std::sqrt(1 - beta), 1e-12);
    EXPECT_NEAR(step.variance / beta, 1.0, 1e-9) << i;
  }
}

/// x_s | x_t, x_0 by Bayes: precision and mean of the product of two Gaussians in x_s.
PosteriorCoefficients bayes(const GaussianProcess& p, double s, double t) {
  const auto step = p.transition(s, t);
  const double prior_variance = p.sigma(s) * p.sigma(s);
  const double precision = 1 / prior_variance + step.scale * step.scale / step.variance;
  return {p.alpha(s) / prior_variance / precision, step.scale / step.variance / precision, 1 / precision};
}

TEST(Posterior, IsBayesRule) {
  for (const auto& spec : every_process)
    for (const auto& [s, t] : {std::pair{0.001, 0.002}, {0.2, 0.21}, {0.3, 0.9}, {0.998, 0.999}}) {
      const auto expected = bayes(process(spec), s, t), actual = process(spec).posterior(s, t);
      EXPECT_NEAR(actual.data, expected.data, 1e-9 * std::abs(expected.data) + 1e-15) << spec;
      EXPECT_NEAR(actual.state, expected.state, 1e-9 * expected.state + 1e-15) << spec;
      EXPECT_NEAR(actual.variance, expected.variance, 1e-9 * expected.variance) << spec;
    }
}

// S1 and Ho et al. (2020), eqs. 6-7: mu-tilde and beta-tilde, and mu-tilde in its noise form.
TEST(Posterior, OfAChainIsDdpms) {
  const GaussianProcess p = process("ddpm");
  for (int i : {2, 10, 500, 1000}) {
    const double t = i / 1000.0, s = (i - 1) / 1000.0;
    const double beta = 1e-4 + (0.02 - 1e-4) * (i - 1) / 999.0;
    const double bar = p.alpha(t) * p.alpha(t), bar_before = p.alpha(s) * p.alpha(s);
    const auto posterior = p.posterior(s, t);
    EXPECT_NEAR(posterior.data, std::sqrt(bar_before) * beta / (1 - bar), 1e-9);
    EXPECT_NEAR(posterior.state, std::sqrt(1 - beta) * (1 - bar_before) / (1 - bar), 1e-9);
    EXPECT_NEAR(posterior.variance, (1 - bar_before) / (1 - bar) * beta, 1e-11);
    const double x0 = 0.7, noise = -1.3, xt = std::sqrt(bar) * x0 + std::sqrt(1 - bar) * noise;
    EXPECT_NEAR(posterior.data * x0 + posterior.state * xt,
                (xt - beta / std::sqrt(1 - bar) * noise) / std::sqrt(1 - beta), 1e-9);
  }
}

TEST(Posterior, AtTheDataIsTheData) {
  for (const auto& spec : {"vp", "flow", "brownian", "ddpm", "sub-vp"}) {
    const auto posterior = process(spec).posterior(0, 0.4);
    EXPECT_EQ(posterior.variance, 0) << spec;
    EXPECT_EQ(posterior.state, 0) << spec;
    EXPECT_NEAR(posterior.data, 1, 1e-15) << spec;
  }
}

TEST(Posterior, IsFiniteWhereTheFlowIsPureNoise) {
  const auto posterior = process("flow").posterior(0.9, 1.0);
  EXPECT_NEAR(posterior.data, 0.1, 1e-15);
  EXPECT_EQ(posterior.state, 0);
  EXPECT_NEAR(posterior.variance, 0.81, 1e-15);
}

TEST(Perturb, TakesOneTimePerSample) {
  const GaussianProcess p = process("vp");
  const Tensor x0 = Rng(1).normal({3, 2, 2}, {}, at::kDouble),
               noise = Rng(2).normal({3, 2, 2}, {}, at::kDouble);
  const Tensor times = vector_of({0.1, 0.5, 0.9});
  const Tensor x = p.perturb(x0, noise, times);
  for (int i = 0; i < 3; ++i) {
    const double t = times[i].item<double>();
    EXPECT_LT((x[i] - (p.alpha(t) * x0[i] + p.sigma(t) * noise[i])).abs().max().item<double>(), 1e-15);
    EXPECT_TRUE(at::equal(p.perturb(x0, noise, t)[i], p.alpha(t) * x0[i] + p.sigma(t) * noise[i]));
  }
}

TEST(Perturb, HasTheStatedMoments) {
  const GaussianProcess p = process("sub-vp");
  const int64_t n = 200'000;
  const Tensor x = p.perturb(at::full({n, 1}, 2.0, at::kDouble), Rng(3).normal({n, 1}, {}, at::kDouble), 0.3);
  const double sigma = p.sigma(0.3);
  EXPECT_NEAR(x.mean().item<double>(), 2 * p.alpha(0.3), 4.5 * sigma / std::sqrt(n));
  EXPECT_NEAR(x.var().item<double>(), sigma * sigma, 4.5 * sigma * sigma * std::sqrt(2.0 / n));
}

TEST(Prior, MatchesUnitDataAtTheEnd) {
  EXPECT_NEAR(process("vp").prior_variance(), 1, 1e-14);
  EXPECT_NEAR(process("flow").prior_variance(), 1, 1e-14);
  EXPECT_NEAR(process("ve").prior_variance(), 2501, 1e-9);
}

TEST(Prior, DensityIsNormalised) {
  const GaussianProcess p = process("ve:sigma_max=2");
  const Tensor x = at::linspace(-30, 30, 60001, at::kDouble).reshape({-1, 1});
  EXPECT_NEAR(p.log_prior(x).exp().sum().item<double>() * 1e-3, 1.0, 1e-9);
  const Tensor two = rows_of({{1.0, -2.0}});
  EXPECT_NEAR(p.log_prior(two).item<double>(), -std::log(2 * M_PI * 5) - 0.5 * 5 / 5.0, 1e-12);
}

TEST(Times, RefusesTheWrongNumber) {
  const GaussianProcess p = process("vp");
  const Tensor x = at::zeros({3, 2});
  try {
    p.perturb(x, x, vector_of({0.1, 0.2}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("expected 3 times"), std::string::npos);
  }
  EXPECT_THROW(p.transition(0.5, 0.2), Error);
  EXPECT_THROW(p.posterior(0.5, 0.5), Error);
  EXPECT_THROW(p.perturb(x, at::zeros({3, 1}), 0.5), Error);
}

}  // namespace
}  // namespace fokker
