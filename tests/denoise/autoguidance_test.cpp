#include "fokker/denoise/analytic.h"
#include "fokker/denoise/guidance.h"
#include "support.h"

namespace fokker {
namespace {

std::shared_ptr<const AnalyticDenoiser> normal(double mean, double variance, Schedule schedule) {
  return std::make_shared<AnalyticDenoiser>(
      GaussianMixture::gaussian(vector_of({mean, -mean}), vector_of({variance, variance})),
      GaussianProcess(std::move(schedule)));
}

// Whatever each predicts, what is mixed are their scores.
TEST(AutoguidedDenoiser, MixesTheScoresOfBoth) {
  const Tensor x = Rng(3).normal({5, 2}, {}, at::kDouble);
  for (const char* spec : {"vp", "ve", "flow"}) {
    const auto main = normal(0.5, 0.4, make_schedule(spec));
    const auto guide = normal(0.2, 3.0, make_schedule(spec));  // its own scale of EDM's prediction
    for (const double weight : {0.0, 1.0, 2.5, -1.0})
      for (const Times& t : {Times(0.3), Times(vector_of({0.1, 0.2, 0.5, 0.7, 0.9}))}) {
        const Estimate found = AutoguidedDenoiser(main, guide, weight).estimate(x, t);
        const Estimate strong = main->estimate(x, t), weak = guide->estimate(x, t);
        const auto mixed = [&](const Tensor& s, const Tensor& w) { return w + weight * (s - w); };
        EXPECT_LT(worst(found.score(), mixed(strong.score(), weak.score())), 1e-9) << spec << weight;
        EXPECT_LT(worst(found.denoised(), mixed(strong.denoised(), weak.denoised())), 1e-9) << spec << weight;
      }
  }
}

TEST(AutoguidedDenoiser, GuidesOnItsIntervalAlone) {
  const auto main = normal(0.5, 0.4, Flow{}), guide = normal(0.2, 3.0, Flow{});
  const AutoguidedDenoiser guided(main, guide, 2.5, {0.5, 2});
  const Tensor x = Rng(3).normal({2, 2}, {}, at::kDouble);
  EXPECT_EQ(worst(guided.estimate(x, 0.3).denoised(), main->estimate(x, 0.3).denoised()), 0);
  EXPECT_GT(worst(guided.estimate(x, 0.5).denoised(), main->estimate(x, 0.5).denoised()), 0.01);
}

TEST(AutoguidedDenoiser, RefusesAnotherProcess) {
  const auto vp = normal(0, 1, VariancePreserving{});
  EXPECT_THAT([&] { AutoguidedDenoiser(vp, normal(0, 1, Flow{}), 2); },
              message("expected a guide of the same process but alpha or sigma differ at t = 0.015625"));
  EXPECT_THAT([&] { AutoguidedDenoiser(vp, normal(0, 1, VariancePreserving{.beta_max = 19.9}), 2); },
              message("the same process"));
  EXPECT_THAT([&] { AutoguidedDenoiser(vp, nullptr, 2); }, message("no guide"));
  EXPECT_NO_THROW(AutoguidedDenoiser(vp, normal(5, 2, VariancePreserving{}), 2));
}

TEST(EnergyTerm, IsMinusTheGradient) {
  const Tensor x = Rng(3).normal({4, 2}, {}, at::kDouble);
  const Estimate any(x, x, Prediction::noise(), VariancePreserving{}, 0.5);
  const GradientMode off(false);
  const auto energy = [](const Tensor& y, const Times& t) { return (y.pow(3) * t.scalar()).sum(1); };
  const Tensor found = energy_term(energy)(x, 0.5, any);
  EXPECT_LT(worst(found, -1.5 * x.square()), 1e-12);
  EXPECT_FALSE(found.requires_grad());
  EXPECT_LT(worst(classifier_term(energy, 3)(x, 0.5, any), 4.5 * x.square()), 1e-12);
}

TEST(EnergyTerm, RefusesWhatItCannotDifferentiate) {
  const Tensor x = Rng(3).normal({4, 2}, {}, at::kDouble);
  const Estimate any(x, x, Prediction::noise(), VariancePreserving{}, 0.5);
  EXPECT_THAT([&] { energy_term(nullptr); }, message("energy_term: expected a function"));
  EXPECT_THAT([&] { classifier_term([](const Tensor& y, const Times&) { return y.sum(1); }, INFINITY); },
              message("classifier_term: expected a finite scale"));
  EXPECT_THAT([&] { energy_term([](const Tensor& y, const Times&) { return y; })(x, 0.5, any); },
              message("expected one number per row, (4), but received (4, 2)"));
  EXPECT_THAT(
      [&] { energy_term([](const Tensor& y, const Times&) { return y.detach().sum(1); })(x, 0.5, any); },
      message("expected a function of x"));
}

TEST(Estimate, SaysTheSameAsAnotherPrediction) {
  const Tensor x = Rng(3).normal({3, 2}, {}, at::kDouble), g = Rng(8).normal({3, 2}, {}, at::kDouble);
  const std::vector<Prediction> all = {Prediction::noise(), Prediction::data(),   Prediction::velocity(),
                                       Prediction::score(), Prediction::edm(0.7), Prediction::edm(2)};
  for (const Prediction& from : all)
    for (const Prediction& to : all)
      for (const Times& t : {Times(0.4), Times(vector_of({0.1, 0.4, 0.8}))}) {
        const Estimate one = Estimate(x, 0.3 * x + 0.2, from, Flow{}, t).with_score_added(g),
                       two = one.as(to);
        EXPECT_EQ(two.prediction().kind(), to.kind());
        EXPECT_LT(worst(one.denoised(), two.denoised()), 1e-12);
        EXPECT_LT(worst(one.noise(), two.noise()), 1e-12);
        EXPECT_LT(worst(one.score(), two.score()), 1e-11);
      }
}

TEST(Estimate, GoesTowardsAnotherRowByRow) {
  const Tensor x = Rng(3).normal({3, 2}, {}, at::kDouble);
  const Estimate a(x, x, Prediction::noise(), Flow{}, 0.4), b(x, 2 * x, Prediction::noise(), Flow{}, 0.4);
  const Tensor mixed = a.towards(b, vector_of({0, 1, 3})).value();
  EXPECT_TRUE(at::equal(mixed.narrow(0, 0, 2), at::cat({x.narrow(0, 0, 1), 2 * x.narrow(0, 1, 1)})));
  EXPECT_LT(worst(mixed[2], 4 * x[2]), 1e-12);
  EXPECT_THAT([&] { a.towards(b, vector_of({1, 2})); }, message("expected 3 weights"));
}

}  // namespace
}  // namespace fokker
