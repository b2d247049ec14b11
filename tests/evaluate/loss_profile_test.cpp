#include "fokker/evaluate/loss_profile.h"

#include "support.h"

namespace fokker {
namespace {

// For x_0 ~ N(0, 1) under VP, Var(eps | x_t) = alpha^2: the least loss of the noise prediction.
TEST(LossProfile, OptimumOfANormalIsItsPosteriorVariance) {
  const GaussianProcess process = VariancePreserving{};
  const AnalyticDenoiser exact(GaussianMixture::standard_normal(1), process);
  const Tensor rows = Rng(1).normal({5'000, 1}, {}, at::kDouble);
  const std::vector<double> times{0.05, 0.3, 0.6, 1.0};
  const LossProfile profile =
      loss_profile(exact_as(exact, Prediction::noise()), Weighting::uniform(), rows, times, Rng(2));
  for (size_t i = 0; i < times.size(); ++i) {
    const double alpha = process.alpha(times[i]);
    EXPECT_NEAR(profile.loss[i], alpha * alpha, 4 * profile.standard_error[i]) << times[i];
  }
}

// Any other denoiser of the same prediction is above the optimum, by the mean square of its difference.
TEST(LossProfile, OthersAreAboveTheOptimum) {
  const GaussianProcess process = VariancePreserving{};
  const AnalyticDenoiser exact(GaussianMixture::standard_normal(2), process);
  const FunctionDenoiser best = exact_as(exact, Prediction::velocity());
  const FunctionDenoiser shifted(
      [&](const Tensor& x, const Times& t) { return best.estimate(x, t).value() + 0.5; }, process,
      Prediction::velocity());
  const Tensor rows = Rng(1).normal({5'000, 2}, {}, at::kDouble);
  const std::vector<double> times{0.1, 0.5, 0.9};
  const LossProfile a = loss_profile(best, Weighting::uniform(), rows, times, Rng(2));
  const LossProfile b = loss_profile(shifted, Weighting::uniform(), rows, times, Rng(2));
  // Both meet the same noise; what is left of E(error) has standard deviation at most sqrt(loss / n).
  for (size_t i = 0; i < times.size(); ++i)
    EXPECT_NEAR(b.loss[i] - a.loss[i], 0.25, 4 * std::sqrt(a.loss[i] / 10'000)) << times[i];
}

// The exact denoiser of some rows knows each of them where the noise is small beside their distances.
TEST(LossProfile, RowsKnownByHeartCostNothing) {
  const GaussianProcess process = VariancePreserving{};
  const Tensor rows = rows_of({{-2, 0}, {0, 2}, {2, 0}});
  const FunctionDenoiser best =
      exact_as(AnalyticDenoiser(GaussianMixture::empirical(rows), process), Prediction::velocity());
  const LossProfile profile =
      loss_profile(best, Weighting::uniform(), rows.repeat({100, 1}), {0.02, 1.0}, Rng(2));
  EXPECT_LT(profile.loss[0], 1e-12);
  // At t = 1 nothing is known: v = alpha eps - sigma x_0 keeps the variance of x_0 about its mean.
  const Tensor centred = rows - rows.mean(0);
  EXPECT_NEAR(profile.loss[1], average(centred.square()), 0.02);
}

TEST(LossProfile, WeightsAndRefusals) {
  const GaussianProcess process = VariancePreserving{};
  const FunctionDenoiser best =
      exact_as(AnalyticDenoiser(GaussianMixture::standard_normal(1), process), Prediction::noise());
  const Tensor rows = Rng(1).normal({50, 1}, {}, at::kDouble);
  const auto weighted = Weighting::user([](double t) { return 3 * t; });
  const LossProfile a = loss_profile(best, Weighting::uniform(), rows, {0.5}, Rng(2));
  const LossProfile b = loss_profile(best, weighted, rows, {0.5}, Rng(2));
  EXPECT_NEAR(b.loss[0], 1.5 * a.loss[0], 1e-12);
  EXPECT_THAT([&] { loss_profile(best, weighted, rows.narrow(0, 0, 1), {0.5}, Rng(2)); },
              message("expected at least 2 rows but received 1"));
  EXPECT_THAT([&] { loss_profile(best, weighted, rows, {1.5}, Rng(2)); }, message("received 1.5"));
}

TEST(LossProfile, TimesOfAChainAreItsSteps) {
  const auto times = profile_times(GaussianProcess(make_schedule("ddpm")), 7);
  EXPECT_EQ(times.size(), 7u);
  for (const double t : times) EXPECT_NEAR(1000 * t, std::round(1000 * t), 1e-9);
  EXPECT_DOUBLE_EQ(times.front(), 1e-3);
  EXPECT_DOUBLE_EQ(times.back(), 1.0);
}

}  // namespace
}  // namespace fokker
