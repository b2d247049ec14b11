#include "fokker/objective/elbo.h"

#include <gtest/gtest.h>

#include <numbers>

#include "fokker/core/error.h"
#include "mixture_data.h"

namespace fokker {
namespace {

// For data N(0, I) the reverse chain with variance beta is exact, so the bound is the likelihood itself, row
// by row.
TEST(Elbo, IsTightForTheStandardNormal) {
  const GaussianMixture target = GaussianMixture::standard_normal(1);
  const AnalyticDenoiser exact(target, process("vp"));
  const int64_t copies = 40'000;
  const Tensor points = vector_of({-1.5, 0.0, 0.7});
  const Tensor x0 = points.repeat_interleave(copies).reshape({-1, 1});
  const ElboTerms terms =
      elbo_terms(exact, x0, {.steps = 12, .variance = ElboOptions::Variance::transition}, Rng(5));
  EXPECT_EQ(terms.times.size(), 12u);
  EXPECT_EQ(terms.divergences.size(0), 11);
  const Tensor bound = terms.bound().reshape({3, copies}), truth = target.log_density(points.reshape({3, 1}));
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_NEAR(average(bound[i]), truth[i].item<double>(), four_errors(bound[i])) << i;
  EXPECT_LT(four_errors(bound[0]), 0.06);
}

TEST(Elbo, LiesBelowTheLikelihoodAndApproachesIt) {
  const GaussianMixture target = mixture();
  const AnalyticDenoiser exact(target, process("vp"));
  const Tensor x0 = target.sample(2000, Rng(6));
  const Tensor truth = target.log_density(x0);
  std::vector<double> gaps;
  for (const int64_t steps : {16, 64, 256}) {
    const Tensor gap = truth - elbo_terms(exact, x0, {.steps = steps}, Rng(7)).bound();
    EXPECT_GT(average(gap), -four_errors(gap)) << steps;
    gaps.push_back(average(gap));
  }
  EXPECT_GT(gaps[0], 1.5 * gaps[1]);
  EXPECT_GT(gaps[1], 1.5 * gaps[2]);
  EXPECT_LT(gaps[2], 0.1);
}

// One data point: the posterior is the reverse chain, so with its variance every divergence is zero; beta
// costs some.
TEST(Elbo, DivergencesVanishForOnePointWithThePosteriorsVariance) {
  const Tensor point = rows_of({{0.3, -1.0}});
  const AnalyticDenoiser exact(GaussianMixture::empirical(point), process("vp"));
  const auto divergences = [&](ElboOptions::Variance variance) {
    return elbo_terms(exact, point, {.steps = 20, .variance = variance}, Rng(1)).divergences;
  };
  EXPECT_LT(divergences(ElboOptions::Variance::posterior).abs().max().item<double>(), 1e-12);
  const Tensor looser = divergences(ElboOptions::Variance::transition);
  EXPECT_GT(looser.min().item<double>(), 0);
  EXPECT_GT(looser[0].item<double>(), 0.01);
}

// The KL terms are those of two Gaussians, and a worse denoiser has larger ones at every time.
TEST(Elbo, TermsAreGaussianDivergences) {
  const GaussianProcess vp = process("vp");
  const auto times = elbo_times(vp, 10);
  const double gap = 0.7;  // |x_0 - D|
  for (size_t i = 1; i < times.size(); ++i)
    for (const auto variance : {ElboOptions::Variance::posterior, ElboOptions::Variance::transition}) {
      const auto back = vp.posterior(times[i - 1], times[i]);
      const double q = back.variance;
      const double p =
          variance == ElboOptions::Variance::posterior ? q : vp.transition(times[i - 1], times[i]).variance;
      // Integrated numerically: E_q log q/p for means apart by data |x_0 - D|.
      const double shift = back.data * gap, deviation = std::sqrt(q);
      double kl = 0;
      const int points = 4000;
      for (int k = 0; k < points; ++k) {
        const double z = -9 + 18 * (k + 0.5) / points, x = z * deviation;
        const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
        const double log_ratio = 0.5 * std::log(p / q) - 0.5 * z * z + 0.5 * (x - shift) * (x - shift) / p;
        kl += density * log_ratio * 18 / points;
      }
      const ElboTerm term = elbo_term(vp, times, i, variance);
      EXPECT_NEAR(term.error * gap * gap + term.constant, kl, 1e-6 * (1 + kl)) << i;
    }
}

// The chain's prior term: KL(N(alpha x_0, sigma^2) || N(0, v)), by hand at one point.
TEST(Elbo, PriorTermIsTheDivergenceToThePrior) {
  const GaussianProcess p = process("vp:beta_max=2");
  const double a = p.alpha(1), s = p.sigma(1), x = 1.3;
  const double expected = -std::log(s) + 0.5 * (s * s + a * a * x * x) - 0.5;
  EXPECT_NEAR(elbo_prior(p, at::full({1, 1}, x, at::kDouble)).item<double>(), expected, 1e-12);
}

TEST(Elbo, ObjectiveIsTheNegativeBoundPerDimension) {
  for (const char* spec : {"vp", "ve:sigma_max=5"}) {
    const AnalyticDenoiser exact(mixture(), process(spec));
    const Batch batch = batch_of(mixture(), 60'000);
    const ElboOptions options{.steps = 6};
    const Tensor loss = ElboObjective({.bound = options}).loss(exact, batch, Rng(8));
    const Tensor bound = elbo_terms(exact, batch.x0, options, Rng(9)).bound() / 2;
    EXPECT_NEAR(average(loss), -average(bound), four_errors(loss) + four_errors(bound)) << spec;
  }
}

// Rows are uncorrelated, so the error of their mean that their spread tells is the one met over repetitions:
// of one point under noise alone, where most of the spread is what the control variate leaves. The ratio of
// variances over `runs` has deviation sqrt(2 / runs + 2 / (runs (rows - 1))).
// A factor taken from the other two rows makes the ratio 3.5.
TEST(Elbo, SpreadOverRowsTellsTheErrorOfTheirMean) {
  const int64_t dimension = 20, rows = 3, runs = 400;
  const AnalyticDenoiser exact(GaussianMixture::standard_normal(dimension), process("vp"));
  const Tensor x0 = at::full({rows, dimension}, 0.5, at::kDouble);
  Tensor means = at::empty({runs}, at::kDouble), squares = at::empty({runs}, at::kDouble);
  for (int64_t i = 0; i < runs; ++i) {
    const Tensor bound = elbo_terms(exact, x0, {.steps = 8}, Rng(1000 + i)).bound();
    means[i] = bound.mean();
    squares[i] = bound.var() / static_cast<double>(rows);
  }
  const double ratio = means.var().item<double>() / squares.mean().item<double>();
  EXPECT_NEAR(ratio, 1, 4.5 * std::sqrt(2.0 / runs + 2.0 / (runs * (rows - 1))));
  // And it is unbiased: the bound of N(0, I) is tight.
  EXPECT_NEAR(average(means), exact.marginal(0).log_density(x0.slice(0, 0, 1)).item<double>(),
              four_errors(means));
}

// A control that is given is used: with none the variance is larger, the mean the same.
TEST(Elbo, ControlsTakeNoiseAway) {
  const AnalyticDenoiser exact(GaussianMixture::standard_normal(20), process("vp"));
  const Tensor x0 = at::full({2000, 20}, 0.5, at::kDouble);
  const ElboOptions options{.steps = 8};
  const Tensor controls = elbo_controls(exact, x0, options, Rng(1));
  EXPECT_EQ(controls.size(0), 8);
  const Tensor with = elbo_terms(exact, x0, options, Rng(2), {}, controls).bound();
  const Tensor without = elbo_terms(exact, x0, options, Rng(2), {}, at::zeros_like(controls)).bound();
  EXPECT_LT(with.var().item<double>(), 0.5 * without.var().item<double>());
  EXPECT_NEAR(average(with), average(without), four_errors(with - without));
  EXPECT_THROW(elbo_terms(exact, x0, options, Rng(2), {}, at::zeros({3}, at::kDouble)), Error);
}

// A denoiser that takes all of x_t for data errs by (sigma/alpha)^2 |eps|^2, which its control takes away
// whole, also where a few draws in one dimension happen to lie close together.
TEST(Elbo, ControlIsTheSlopeHoweverCloseTheDraws) {
  const GaussianProcess vp = process("vp");
  const FunctionDenoiser none([](const Tensor& x, const Times&) { return at::zeros_like(x); }, vp,
                              Prediction::noise());
  const ElboOptions options{.steps = 400};
  const auto times = elbo_times(vp, options.steps);
  const Tensor controls = elbo_controls(none, at::full({8, 1}, 0.5, at::kDouble), options, Rng(1));
  for (size_t i = 0; i < times.size(); ++i) {
    const double ratio = vp.sigma(times[i]) / vp.alpha(times[i]);
    EXPECT_NEAR(controls[static_cast<int64_t>(i)].item<double>() / (ratio * ratio), 1, 1e-6) << times[i];
  }
}

// A process that is noisy at t = 0 has its reconstruction there.
TEST(Elbo, BeginsAtZeroWhereTheProcessIsNoisyThere) {
  EXPECT_EQ(elbo_times(process("ve"), 4), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(elbo_times(process("vp"), 4), (std::vector<double>{0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(elbo_times(process("ddpm"), 0).size(), 1000u);
  EXPECT_THROW(elbo_times(process("vp"), -1), Error);
}

}  // namespace
}  // namespace fokker
