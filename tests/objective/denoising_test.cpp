#include "fokker/objective/denoising.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/objective/noised_batch.h"
#include "mixture_data.h"

namespace fokker {
namespace {

/// A denoiser of N(0, s^2) data in any prediction, off by a factor.
FunctionDenoiser gaussian_denoiser(const GaussianProcess& p, Prediction prediction, double factor = 1,
                                   double deviation = 1) {
  return FunctionDenoiser(
      [p, prediction, factor, deviation](const Tensor& x, const Times& t) {
        // E[x_0|x] = alpha s^2 x / v, E[eps|x] = sigma x / v with v = alpha^2 s^2 + sigma^2.
        return x * t.map(
                       [&](double u) {
                         const double a = p.alpha(u), s = p.sigma(u), d2 = deviation * deviation;
                         const auto c = prediction.target(p.schedule().model(), u);
                         return factor * (c.data * a * d2 + c.noise * s) / (a * a * d2 + s * s);
                       },
                       x);
      },
      p, prediction);
}

double mean_loss(const Denoiser& denoiser, const DenoisingObjective::Options& options, int64_t n = 100'000,
                 double deviation = 1) {
  const Batch batch{.x0 = deviation * Rng(1).normal({n, 1}, {}, at::kDouble), .label = {}, .step = 5};
  return DenoisingObjective(options).loss(denoiser, batch, Rng(2)).mean().item<double>();
}

// For N(0, 1) data under VP the best noise prediction leaves E[Var(eps|x)] = alpha^2; averaged over t.
TEST(DenoisingObjective, OfTheExactDenoiserIsTheBayesLoss) {
  const GaussianProcess vp = process("vp");
  double bayes = 0;
  const double start = vp.time_min();
  for (int i = 0; i < 10000; ++i)
    bayes += std::pow(vp.alpha(std::lerp(start, 1.0, (i + 0.5) / 10000)), 2) / 10000;
  // Each squared error has variance 2 alpha^4 about its mean: the standard error is below sqrt(2 bayes / n).
  EXPECT_NEAR(mean_loss(gaussian_denoiser(vp, Prediction::noise()), {}), bayes,
              4.5 * std::sqrt(2 * bayes / 100'000));
}

TEST(DenoisingObjective, IsSmallestAtTheExactDenoiser) {
  for (const char* spec : {"vp", "flow", "sub-vp"})
    for (const auto& name : Prediction::names()) {
      const GaussianProcess p = process(spec);
      const Prediction prediction = Prediction::from_name(name);
      // The noise error's weight keeps the score's loss from being all Monte Carlo error at the smallest
      // times. The data is not of unit variance, where the best velocity under VP would be zero whatever the
      // factor.
      const auto loss = [&](double factor) {
        return mean_loss(gaussian_denoiser(p, prediction, factor, 0.5), {.weighting = Weighting::simple()},
                         100'000, 0.5);
      };
      EXPECT_LT(loss(1.0), loss(0.8)) << spec << name;
      EXPECT_LT(loss(1.0), loss(1.2)) << spec << name;
    }
}

// All predictions are the same function of (x_t, E[x_0|x_t]), so a weight on the noise error gives one loss
// for all.
TEST(Weighting, OnTheNoiseErrorDoesNotDependOnThePrediction) {
  const GaussianProcess vp = process("vp");
  for (const Weighting& weighting :
       {Weighting::simple(), Weighting::snr(), Weighting::min_snr(5), Weighting::edm()}) {
    const double reference =
        mean_loss(gaussian_denoiser(vp, Prediction::noise()), {.weighting = weighting}, 2000);
    for (const auto& name : Prediction::names())
      EXPECT_NEAR(
          mean_loss(gaussian_denoiser(vp, Prediction::from_name(name)), {.weighting = weighting}, 2000) /
              reference,
          1, 1e-7)
          << name;
  }
}

TEST(Weighting, HasThePapersIdentities) {
  const GaussianProcess vp = process("vp"), edm = process("edm");
  const ScheduleModel& s = vp.schedule().model();
  const Prediction noise = Prediction::noise(), data = Prediction::data();
  const double t = 0.3, snr = std::exp(vp.log_snr(t));
  EXPECT_DOUBLE_EQ(Weighting::uniform()(data, s, t), 1.0);
  EXPECT_NEAR(Weighting::snr()(noise, s, t), Weighting::simple()(noise, s, t), 1e-12);
  EXPECT_NEAR(Weighting::snr()(data, s, t), snr, 1e-9 * snr);
  EXPECT_NEAR(Weighting::min_snr(0.01)(data, s, t), 0.01, 1e-12);
  EXPECT_NEAR(Weighting::edm()(Prediction::edm(0.5), edm.schedule().model(), t), 1.0, 1e-9);
  EXPECT_NEAR(Weighting::user([](double u) { return 7 * u; })(noise, s, t), 2.1, 1e-12);
}

// S1 step 4: beta_t / (2 (1 - beta_t)(1 - alphabar_t)) for each of the chain's steps.
TEST(Weighting, LikelihoodIsTheChainsFactor) {
  const GaussianProcess chain = process("ddpm");
  for (int i : {1, 400, 1000}) {
    const double beta = 1e-4 + (0.02 - 1e-4) * (i - 1) / 999.0;
    const double bar = std::pow(chain.alpha(i / 1000.0), 2);
    EXPECT_NEAR(Weighting::likelihood()(Prediction::noise(), chain.schedule().model(), i / 1000.0) /
                    (1000 * beta / (2 * (1 - beta) * (1 - bar))),
                1, 1e-9)
        << i;
  }
  const GaussianProcess vp = process("vp");
  EXPECT_NEAR(Weighting::likelihood()(Prediction::noise(), vp.schedule().model(), 0.5),
              0.5 * 10.05 / std::pow(vp.sigma(0.5), 2), 1e-9);
}

TEST(Weighting, NamesAreRefusedWithTheList) {
  try {
    Weighting::from_name("snrr");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("min-snr"), std::string::npos);
  }
  EXPECT_THROW(Weighting::from_name("min-snr:gamma=-1"), Error);
}

TEST(SampleTimes, UniformCoversItsRangeEvenly) {
  const GaussianProcess vp = process("vp");
  const double start = vp.time_min();
  for (auto method : {TimeSampling::Method::independent, TimeSampling::Method::antithetic,
                      TimeSampling::Method::low_discrepancy}) {
    const Tensor t = sample_times(vp, {.method = method}, 20'000, 3, Rng(4));
    EXPECT_GE(t.min().item<double>(), start);
    EXPECT_LE(t.max().item<double>(), 1.0);
    const double spread = (1 - start) / std::sqrt(12.0);
    EXPECT_NEAR(t.mean().item<double>(), (1 + start) / 2, 4.5 * spread / std::sqrt(20'000));
    EXPECT_NEAR(t.std().item<double>(), spread, 0.005);
  }
}

TEST(SampleTimes, LowDiscrepancyPutsOneTimeInEveryInterval) {
  const GaussianProcess vp = process("vp");
  const Tensor t = std::get<0>(sample_times(vp, {}, 64, 9, Rng(5)).sort());
  const Tensor gaps = t.narrow(0, 1, 63) - t.narrow(0, 0, 63);
  EXPECT_NEAR(gaps.max().item<double>(), (1 - vp.time_min()) / 64, 1e-9);
}

TEST(SampleTimes, AntitheticTimesMirrorEachOther) {
  const GaussianProcess vp = process("vp");
  const Tensor t = sample_times(vp, {.method = TimeSampling::Method::antithetic}, 10, 9, Rng(5));
  const Tensor sums = t.narrow(0, 0, 5) + t.narrow(0, 5, 5);
  EXPECT_LT((sums - (1 + vp.time_min())).abs().max().item<double>(), 1e-12);
}

TEST(SampleTimes, OnAChainAreItsSteps) {
  const GaussianProcess chain = process("ddpm:steps=10");
  const Tensor i = sample_times(chain, {.method = TimeSampling::Method::independent}, 50'000, 1, Rng(6)) * 10;
  EXPECT_LT((i - i.round()).abs().max().item<double>(), 1e-9);
  for (int64_t step = 1; step <= 10; ++step)
    EXPECT_NEAR((i.round() == step).to(at::kDouble).mean().item<double>(), 0.1,
                4.5 * std::sqrt(0.09 / 50'000));
}

TEST(SampleTimes, LogNormalHasItsMoments) {
  const GaussianProcess edm = process("edm");
  const Tensor t = sample_times(edm, {.law = TimeSampling::Law::log_normal}, 20'000, 1, Rng(6));
  const Tensor log_sigma =
      Times(t).map([&](double u) { return std::log(edm.sigma(u)); }, at::empty({20'000}, at::kDouble));
  EXPECT_NEAR(log_sigma.mean().item<double>(), -1.2, 4.5 * 1.2 / std::sqrt(20'000));
  EXPECT_NEAR(log_sigma.std().item<double>(), 1.2, 0.02);
}

TEST(DenoisingObjective, DropsLabelsAtTheStatedRate) {
  int64_t dropped = 0, seen = 0;
  class Counting final : public Denoiser {
   public:
    Counting(int64_t& dropped, int64_t& seen) : dropped_(dropped), seen_(seen) {}
    Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
      dropped_ += (label == -1).sum().item<int64_t>();
      seen_ += label.size(0);
      return Estimate(x, x, Prediction::noise(), process_, t);
    }
    const GaussianProcess& process() const override { return process_; }

   private:
    int64_t &dropped_, &seen_;
    GaussianProcess process_{VariancePreserving{}};
  } const denoiser(dropped, seen);
  const Batch batch{.x0 = at::zeros({20'000, 1}), .label = at::ones({20'000}, at::kLong), .step = 3};
  DenoisingObjective(DenoisingObjective::Options{.label_dropout = 0.25}).loss(denoiser, batch, Rng(1));
  EXPECT_EQ(seen, 20'000);
  EXPECT_NEAR(static_cast<double>(dropped) / 20'000, 0.25, 4.5 * std::sqrt(0.25 * 0.75 / 20'000));
}

// As the classes' are, and by the same draws.
TEST(DropLabels, RowsOfConditionsAreDroppedWhole) {
  const Tensor classes = drop_labels(at::ones({2000}, at::kLong), 0.25, {.step = 3}, Rng(1));
  const Tensor rows = Rng(2).normal({2000, 3}), dropped = drop_labels(rows, 0.25, {.step = 3}, Rng(1));
  const Tensor none = dropped.isnan();
  EXPECT_TRUE(none.any(1).equal(none.all(1)));
  EXPECT_TRUE(none.any(1).equal(classes == -1));
  EXPECT_TRUE(dropped.masked_select(none.logical_not()).equal(rows.masked_select(none.logical_not())));
}

}  // namespace
}  // namespace fokker
