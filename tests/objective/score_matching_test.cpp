#include "fokker/objective/score_matching.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/objective/implicit.h"
#include "fokker/target/gaussian_mixture.h"
#include "support.h"

namespace fokker {
namespace {

GaussianMixture correlated_mixture() {
  return GaussianMixture(vector_of({0.3, 0.7}), rows_of({{-1, 0.5}, {1, -0.5}}),
                         at::stack({rows_of({{0.5, 0.2}, {0.2, 0.4}}), rows_of({{0.3, 0.0}, {0.0, 0.8}})}));
}

/// A field with nothing to do with the mixture, and not a gradient.
Tensor unrelated(const Tensor& x) {
  const Tensor a = x.select(1, 0), b = x.select(1, 1);
  return at::stack({at::sin(a + 2 * b) - 0.4 * a, 0.3 * a * b + at::tanh(b)}, 1);
}
/// Its divergence by hand.
Tensor unrelated_divergence(const Tensor& x) {
  const Tensor a = x.select(1, 0), b = x.select(1, 1);
  return at::cos(a + 2 * b) - 0.4 + 0.3 * a + 1 - at::tanh(b).square();
}

TEST(Divergence, IsTheOneByHandAndByDifferences) {
  const Tensor x = Rng(1).normal({50, 2}, {}, at::kDouble).requires_grad_();
  const Tensor divergence = exact_divergence(unrelated(x), x).detach();
  EXPECT_LT(worst(divergence, unrelated_divergence(x.detach())), 1e-12);
  const GradientMode off(false);
  Tensor differences = at::zeros({50}, at::kDouble);
  for (int64_t i = 0; i < 2; ++i) {
    Tensor step = at::zeros({50, 2}, at::kDouble);
    step.select(1, i).fill_(1e-5);
    differences += (unrelated(x + step) - unrelated(x - step)).select(1, i) / 2e-5;
  }
  EXPECT_LT(worst(divergence, differences), 1e-8);
}

TEST(Divergence, HandlesEventsOfAnyShape) {
  const Tensor x = Rng(1).normal({3, 2, 2}, {}, at::kDouble).requires_grad_();
  const Tensor expected = 3 * x.detach().square().flatten(1).sum(1);
  EXPECT_LT(worst(exact_divergence(x.pow(3), x).detach(), expected), 1e-12);
}

// v . J v over the axes v = sqrt(d) e_i is the trace: no Monte Carlo error.
TEST(Divergence, AlongTheAxesAddsUpToTheExactOne) {
  const Tensor x = Rng(1).normal({20, 2}, {}, at::kDouble).requires_grad_();
  Tensor total = at::zeros({20}, at::kDouble);
  for (int64_t i = 0; i < 2; ++i) {
    Tensor axis = at::zeros({20, 2}, at::kDouble);
    axis.select(1, i).fill_(1);
    total = total + directional_divergence(unrelated(x), x, axis).detach();
  }
  EXPECT_LT(worst(total, unrelated_divergence(x.detach())), 1e-12);
}

TEST(Divergence, CanBeDifferentiatedAgain) {
  const Tensor x = Rng(1).normal({5, 2}, {}, at::kDouble).requires_grad_();
  const Tensor gradient = gradients(exact_divergence(unrelated(x), x), {x}, false)[0];
  const Tensor y = x.detach().requires_grad_();
  EXPECT_LT(worst(gradient, gradients(unrelated_divergence(y), {y}, false)[0]), 1e-12);
}

// S2: eq. 4.2 = eq. 4.3 + E|grad log mu|^2, for a score with nothing to do with mu.
TEST(ImplicitScoreMatching, IsTheFisherDivergenceLessAConstant) {
  const GaussianMixture target = correlated_mixture();
  const Tensor x = target.sample(400'000, Rng(2));
  const Tensor constant = sum_events(target.score(x).square());
  const Tensor gap =
      fisher_divergence(unrelated, target, x) - implicit_score_matching(unrelated, x).detach() - constant;
  EXPECT_NEAR(average(gap), 0, four_errors(gap));
  EXPECT_LT(four_errors(gap), 0.05) << "the comparison must be sharp";
  EXPECT_GT(average(constant), 0.5);
}

TEST(ImplicitScoreMatching, AtTheTruthIsMinusTheFisherInformation) {
  const GaussianMixture target = correlated_mixture();
  const Tensor x = target.sample(100'000, Rng(3));
  const auto score = [&](const Tensor& y) { return target.score(y); };
  EXPECT_LT(worst(fisher_divergence(score, target, x), at::zeros({1}, at::kDouble)), 1e-20);
  const Tensor sum = implicit_score_matching(score, x).detach() + sum_events(target.score(x).square());
  EXPECT_NEAR(average(sum), 0, four_errors(sum));
}

// The mean of 4.3 over a family s_theta = (1 + theta) s + phi u is stationary at theta = phi = 0.
TEST(ImplicitScoreMatching, GradientVanishesAtTheTruth) {
  const GaussianMixture target = correlated_mixture();
  const Tensor x = target.sample(50'000, Rng(4));
  const Tensor theta = at::zeros({1}, at::kDouble).requires_grad_(),
               phi = at::zeros({1}, at::kDouble).requires_grad_();
  const auto family = [&](const Tensor& y) { return (1 + theta) * target.score(y) + phi * unrelated(y); };
  const auto gradient = gradients(implicit_score_matching(family, x) / 50'000, {theta, phi}, false);
  // The loss is (1 + theta)^2 a + 2 (1 + theta) b + ...: each row's derivative and its spread, by hand.
  const auto s = [&](const Tensor& y) { return target.score(y); };
  const Tensor leaf = x.detach().requires_grad_();
  const Tensor by_theta = 2 * (sum_events(s(x).square()) + exact_divergence(s(leaf), leaf).detach());
  const Tensor by_phi = 2 * (sum_events(s(x) * unrelated(x)) + unrelated_divergence(x));
  EXPECT_NEAR(gradient[0].item<double>(), average(by_theta), 1e-8);
  EXPECT_NEAR(gradient[1].item<double>(), average(by_phi), 1e-8);
  EXPECT_NEAR(gradient[0].item<double>(), 0, four_errors(by_theta));
  EXPECT_NEAR(gradient[1].item<double>(), 0, four_errors(by_phi));
}

TEST(SlicedScoreMatching, IsUnbiasedForTheImplicitOne) {
  const Tensor x = correlated_mixture().sample(3, Rng(5));
  const Tensor many = x.repeat_interleave(20'000, 0);
  const Tensor exact = implicit_score_matching(unrelated, x).detach();
  for (const auto kind : {SlicedObjective::Directions::rademacher, SlicedObjective::Directions::gaussian})
    for (const auto norm : {SlicedNorm::exact, SlicedNorm::sliced}) {
      const Tensor directions = random_directions(kind, 2, many, {}, Rng(6));
      const Tensor sliced =
          sliced_score_matching(unrelated, many, directions, norm).detach().reshape({3, -1});
      for (int64_t i = 0; i < 3; ++i)
        EXPECT_NEAR(average(sliced[i]), exact[i].item<double>(), four_errors(sliced[i]) + 1e-9);
    }
}

// In one dimension a Rademacher direction has no variance at all; a Gaussian one has.
TEST(SlicedScoreMatching, WithSignsIsExactInOneDimension) {
  const Tensor x = Rng(1).normal({40, 1}, {}, at::kDouble);
  const auto score = [](const Tensor& y) { return at::sin(y); };
  const Tensor exact = implicit_score_matching(score, x).detach();
  const auto sliced = [&](SlicedObjective::Directions kind) {
    return sliced_score_matching(score, x, random_directions(kind, 1, x, {}, Rng(2))).detach();
  };
  EXPECT_LT(worst(sliced(SlicedObjective::Directions::rademacher), exact), 1e-12);
  EXPECT_GT(worst(sliced(SlicedObjective::Directions::gaussian), exact), 0.1);
}

TEST(RandomDirections, HaveTheUnitSecondMoment) {
  const Tensor like = at::zeros({50'000, 2}, at::kDouble);
  for (const auto kind : {SlicedObjective::Directions::rademacher, SlicedObjective::Directions::gaussian}) {
    const Tensor v = random_directions(kind, 2, like, {.step = 3}, Rng(1));
    EXPECT_NEAR(average(v[0].square()), 1, 0.03);
    EXPECT_NEAR(average(v[0].select(1, 0) * v[0].select(1, 1)), 0, 0.03);
    EXPECT_NEAR(average(v[0] * v[1]), 0, 0.03) << "projections are independent";
  }
  const Tensor signs =
      random_directions(SlicedObjective::Directions::rademacher, 1, like, {.step = 3}, Rng(1));
  EXPECT_EQ(worst(signs.abs(), at::ones_like(signs)), 0);
}

// S2: eq. 4.4 is eq. 4.2 for mu_sigma plus a constant that does not depend on s.
TEST(DenoisingScoreMatching, IsTheFisherDivergenceOfTheNoisedLawPlusAConstant) {
  const double sigma = 0.6;
  const GaussianMixture target = correlated_mixture(), noised = target.noised(1, sigma);
  const int64_t n = 400'000;
  const Tensor x0 = target.sample(n, Rng(7)), noise = Rng(8).normal({n, 2}, {}, at::kDouble);
  const Tensor x = x0 + sigma * noise;
  const auto gap = [&](const ScoreFunction& s) {
    return denoising_score_matching(s, x0, noise, sigma) - fisher_divergence(s, noised, x);
  };
  const Tensor difference = gap(unrelated) - gap([](const Tensor& y) { return -0.5 * y; });
  EXPECT_NEAR(average(difference), 0, four_errors(difference));
  // The constant is E|eps/sigma|^2 - E|grad log mu_sigma|^2, and what the true score leaves.
  const Tensor truth = gap([&](const Tensor& y) { return noised.score(y); });
  const Tensor constant = sum_events((noise / sigma).square()) - sum_events(noised.score(x).square());
  EXPECT_NEAR(average(truth), average(constant), four_errors(truth - constant));
  EXPECT_GT(average(truth), 1.0);
}

TEST(ScoreMatching, WorksWhereTheCallerDoesNotRecord) {
  const Tensor x = Rng(1).normal({4, 2}, {}, at::kDouble);
  const Tensor recorded = implicit_score_matching(unrelated, x);
  const GradientMode off(false);
  const Tensor loss = implicit_score_matching(unrelated, x);
  EXPECT_FALSE(loss.requires_grad());
  EXPECT_EQ(worst(loss, recorded), 0);
}

TEST(ScoreMatching, RefusesWhatMakesNoSense) {
  const Tensor x = at::ones({4, 2}, at::kDouble);
  const auto refusal = [](auto work) -> std::string {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_NE(refusal([&] {
              implicit_score_matching([](const Tensor& y) { return y.select(1, 0); }, x);
            }).find("expected a score of shape (4, 2) but received (4)"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { implicit_score_matching([&](const Tensor&) { return x; }, x); }).find("depends on x"),
      std::string::npos);
  EXPECT_NE(refusal([&] { denoising_score_matching(unrelated, x, x, 0); }).find("sigma > 0 but received 0"),
            std::string::npos);
  EXPECT_NE(refusal([&] { sliced_score_matching(unrelated, x, x); }).find("(k, 4, 2) but received (4, 2)"),
            std::string::npos);
  EXPECT_NE(refusal([&] { SlicedObjective({.projections = 0}); }).find("projections > 0 but received 0"),
            std::string::npos);
}

}  // namespace
}  // namespace fokker
