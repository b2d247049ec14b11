#include "fokker/objective/explicit.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/noised_batch.h"
#include "fokker/objective/score_matching.h"
#include "fokker/objective/single_level.h"
#include "mixture_data.h"

namespace fokker {
namespace {

TEST(ExplicitObjective, IsZeroAtTheExactDenoiserAndTheGapElsewhere) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture(), 500);
  const ExplicitObjective objective(mixture());
  EXPECT_LT(objective.loss(exact, batch, Rng(1)).abs().max().item<double>(), 1e-16);
  // A noise prediction off by a constant c in each coordinate: loss c^2 at every row.
  const FunctionDenoiser off(
      [&](const Tensor& x, const Times& t) { return exact.estimate(x, t).noise() + 0.3; }, exact.process(),
      Prediction::noise());
  EXPECT_LT(worst(objective.loss(off, batch, Rng(1)), at::full({1}, 0.09, at::kDouble)), 1e-10);
}

// 4.2 and 4.3 differ by E|sigma s|^2/d across levels too, with the same draws.
TEST(ImplicitObjective, IsTheExplicitOneLessAConstant) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const Batch batch = batch_of(mixture(), 100'000);
  const FunctionDenoiser other([](const Tensor& x, const Times&) { return 0.4 * x + 0.2 * at::sin(3 * x); },
                               exact.process(), Prediction::noise());
  const GradientMode off(false);
  const auto gap = [&](const Denoiser& denoiser) {
    return ExplicitObjective(mixture()).loss(denoiser, batch, Rng(1)) -
           ImplicitObjective().loss(denoiser, batch, Rng(1));
  };
  const Tensor difference = gap(other) - gap(exact);
  EXPECT_NEAR(average(difference), 0, four_errors(difference));
  EXPECT_GT(average(ExplicitObjective(mixture()).loss(other, batch, Rng(1))), 0.1);
}

// S3, section 2.4: r*(x) = x + sigma^2 grad log p(x) beats any other, and the loss there is E Var(x_0 | x).
TEST(DenoisingAutoencoder, OptimumIsTweediesFormula) {
  const GaussianProcess ve = process("ve:sigma_min=0.5,sigma_max=0.6");
  const GaussianMixture target = GaussianMixture::gaussian(vector_of({1.0}), vector_of({0.7}));
  const double t = 0.5, s2 = std::pow(ve.sigma(t), 2);
  const GaussianMixture noised = target.noised(1, ve.sigma(t));
  const FunctionDenoiser tweedie([&](const Tensor& x, const Times&) { return x + s2 * noised.score(x); }, ve,
                                 Prediction::data());
  const Tensor loss = DenoisingAutoencoder(t).loss(tweedie, batch_of(target, 100'000), Rng(2));
  EXPECT_NEAR(average(loss), 0.7 * s2 / (0.7 + s2), four_errors(loss));
  for (const double factor : {0.8, 1.2}) {
    const FunctionDenoiser other(
        [&](const Tensor& x, const Times&) { return x + factor * s2 * noised.score(x); }, ve,
        Prediction::data());
    EXPECT_GT(average(DenoisingAutoencoder(t).loss(other, batch_of(target, 100'000), Rng(2))),
              average(loss) + 0.002);
  }
}

TEST(DenoisingScoreMatchingObjective, IsEquation44AtItsLevel) {
  const AnalyticDenoiser exact(mixture(), process("ve"));
  const double t = 0.6, sigma = exact.process().sigma(t);
  const Batch batch = batch_of(mixture(), 100);
  const Tensor noise = batch_noise(batch, Rng(2));
  const auto score = [&](const Tensor& x) { return exact.marginal(t).score(x); };
  EXPECT_LT(worst(DenoisingScoreMatching(t).loss(exact, batch, Rng(2)),
                  denoising_score_matching(score, batch.x0, noise, sigma)),
            1e-10);
  EXPECT_THROW(DenoisingScoreMatching(0.0).loss(AnalyticDenoiser(mixture(), process("vp")), batch, Rng(2)),
               Error);
}

}  // namespace
}  // namespace fokker
