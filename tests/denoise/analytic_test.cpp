#include "fokker/denoise/analytic.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/denoise/guidance.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"

namespace fokker {
namespace {

GaussianProcess process(const char* spec) {
  return GaussianProcess(make_schedule(spec));
}

// x_0 ~ N(m, s^2): x_t ~ N(alpha m, alpha^2 s^2 + sigma^2), all in closed form.
TEST(AnalyticDenoiser, IsExactForAGaussian) {
  const double m = 1.5, s = 0.3;
  for (const char* spec : {"vp", "sub-vp", "ve", "flow", "edm"}) {
    const GaussianProcess p = process(spec);
    const AnalyticDenoiser denoiser(
        GaussianMixture::gaussian(at::full({1}, m, at::kDouble), at::full({1}, s * s, at::kDouble)), p);
    for (double t : {1e-4, 0.3, 0.95, 0.9999}) {
      const double a = p.alpha(t), sigma = p.sigma(t), variance = a * a * s * s + sigma * sigma;
      const Tensor x =
          at::linspace(a * m - 5 * std::sqrt(variance), a * m + 5 * std::sqrt(variance), 21, at::kDouble)
              .reshape({-1, 1});
      const Estimate e = denoiser.estimate(x, t);
      EXPECT_LT(worst(e.score() * std::sqrt(variance), -(x - a * m) / std::sqrt(variance)), 1e-9)
          << spec << t;
      EXPECT_LT(worst(e.denoised(), m + a * s * s / variance * (x - a * m)), 1e-9 * std::max(1.0, sigma))
          << spec << t;
    }
  }
}

// Tweedie's formula for a prior that is not Gaussian: E[x_0|x] = (x + sigma^2 grad log p)/alpha, with the
// score by finite differences of the exact log density.
TEST(AnalyticDenoiser, ObeysTweedieForAMixture) {
  const GaussianProcess p = process("vp");
  const GaussianMixture target(vector_of({0.2, 0.8}), rows_of({{-1.0, 0.5}, {2.0, 1.0}}),
                               vector_of({0.3, 0.05}));
  const AnalyticDenoiser denoiser(target, p);
  const double t = 0.15, h = 1e-5;
  const Tensor x = 2 * Rng(4).normal({50, 2}, {}, at::kDouble);
  const GaussianMixture marginal = denoiser.marginal(t);
  Tensor score = at::empty_like(x);
  for (int64_t i = 0; i < 2; ++i) {
    Tensor shift = at::zeros({2}, at::kDouble);
    shift[i] = h;
    score.select(1, i).copy_((marginal.log_density(x + shift) - marginal.log_density(x - shift)) / (2 * h));
  }
  const Estimate e = denoiser.estimate(x, t);
  EXPECT_LT(worst(e.score(), score), 1e-6);
  EXPECT_LT(worst(e.denoised(), (x + p.sigma(t) * p.sigma(t) * score) / p.alpha(t)), 1e-6);
}

TEST(AnalyticDenoiser, TakesOneTimePerSampleAndAnyEventShape) {
  const AnalyticDenoiser denoiser(GaussianMixture::empirical(Rng(5).normal({7, 4}, {}, at::kDouble)),
                                  process("vp"));
  const Tensor x = Rng(6).normal({3, 1, 2, 2}, {}, at::kDouble), t = vector_of({0.05, 0.4, 0.9});
  const Tensor many = denoiser.estimate(x, t).denoised();
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_LT(worst(many[i], denoiser.estimate(x.narrow(0, i, 1), t[i].item<double>()).denoised()[0]), 1e-9);
  EXPECT_THROW(denoiser.estimate(at::zeros({2, 3}), 0.5), Error);
}

// The posterior mean of data points by hand: a softmax over -|x - alpha x_i|^2 / (2 sigma^2).
TEST(AnalyticDenoiser, OfDataIsTheSoftmaxAverage) {
  const GaussianProcess p = process("vp");
  const Tensor data = Rng(7).normal({20, 3}, {}, at::kDouble), x = Rng(8).normal({10, 3}, {}, at::kDouble);
  const double t = 0.3, a = p.alpha(t), s = p.sigma(t);
  const Tensor distance = (x.unsqueeze(1) - a * data.unsqueeze(0)).square().sum(2);
  const Tensor expected = at::softmax(-distance / (2 * s * s), 1).mm(data);
  EXPECT_LT(worst(AnalyticDenoiser(GaussianMixture::empirical(data), p).estimate(x, t).denoised(), expected),
            1e-11);
}

// The stored combination of x_0 and eps is scaled by the data's size, so that float32 holds eps where data
// is large and noise small: stored by a scale of 1 it would be off by 1000 units in the last place.
TEST(AnalyticDenoiser, OfLargeDataKeepsItsNoiseInFloat32) {
  const GaussianProcess p = process("ve");
  const Tensor data = 1000 * Rng(7).normal({20, 3}, {}, at::kDouble);
  const AnalyticDenoiser denoiser(GaussianMixture::empirical(data), p);
  const Tensor eps = Rng(8).normal({20, 3}, {}, at::kDouble);
  for (const double t : {0.05, 0.3}) {
    const Tensor x = (data + p.sigma(t) * eps).to(at::kFloat);
    const Tensor truth = denoiser.estimate(x.to(at::kDouble), t).noise();
    EXPECT_LT(worst(denoiser.estimate(x, t).noise().to(at::kDouble), truth), 1e-5) << t;
  }
}

TEST(ClippedDenoiser, ClampsTheDenoisedEstimateAndKeepsTheRestConsistent) {
  const GaussianProcess p = process("vp");
  const auto inner = std::make_shared<FunctionDenoiser>([](const Tensor& x, const Times&) { return x * 3; },
                                                        p, Prediction::data());
  const ClippedDenoiser clipped(inner, 1.0);
  const Tensor x = rows_of({{-2.0, 0.1, 0.9}});
  const Estimate e = clipped.estimate(x, 0.4);
  EXPECT_LT(worst(e.denoised(), rows_of({{-1.0, 0.3, 1.0}})), 1e-15);
  EXPECT_LT(worst(p.alpha(0.4) * e.denoised() + p.sigma(0.4) * e.noise(), x), 1e-14);
}

TEST(GuidedDenoiser, ExtrapolatesFromTheUnconditionalEstimate) {
  /// Predicts its label, or -1 without one.
  class LabelDenoiser final : public Denoiser {
   public:
    Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
      const double value = label.defined() ? label[0].item<double>() : -1.0;
      return Estimate(x, at::full_like(x, value), Prediction::noise(), process_, t);
    }
    const GaussianProcess& process() const override { return process_; }
    GaussianProcess process_{VariancePreserving{}};
  };
  const auto inner = std::make_shared<LabelDenoiser>();
  const Tensor x = at::zeros({2, 2}, at::kDouble);
  EXPECT_EQ(GuidedDenoiser(inner, 4, 1.0).estimate(x, 0.5).value()[0][0].item<double>(), 4.0);
  EXPECT_EQ(GuidedDenoiser(inner, 4, 3.0).estimate(x, 0.5).value()[1][1].item<double>(), -1 + 3.0 * 5);
  EXPECT_EQ(GuidedDenoiser(inner, 4, 0.0).estimate(x, 0.5).value()[0][0].item<double>(), -1.0);
}

TEST(LearnedDenoiser, FeedsTheNetworkTimeAndScaledInput) {
  /// Returns its input plus its time.
  class Echo final : public Network {
   public:
    Tensor forward(const Tensor& x, const Tensor& time, const Tensor&) const override {
      return x + time.reshape({-1, 1});
    }
    Json config() const override { return {}; }
    std::vector<int64_t> event_shape() const override { return {1}; }
  };
  const auto network = std::make_shared<Echo>();
  const GaussianProcess edm = process("edm"), ddpm = process("ddpm");
  const Tensor x = at::full({2, 1}, 3.0, at::kDouble);
  // A chain's steps are numbered from 0: t = 10/1000 is step 9.
  const LearnedDenoiser chain(
      network,
      {.process = ddpm, .prediction = Prediction::noise(), .time_input = {.scale = 1000, .offset = -1}});
  EXPECT_NEAR(chain.estimate(x, 0.01).value()[0].item<double>(), 3 + 9, 1e-10);
  // Karras et al. (2022): c_in = 1/sqrt(sigma^2 + sd^2), c_noise = log(sigma)/4.
  const LearnedDenoiser scaled(network, {.process = edm,
                                         .prediction = Prediction::edm(0.5),
                                         .time_input = {.kind = TimeInput::Kind::quarter_log_sigma},
                                         .scale_input = true,
                                         .sigma_data = 0.5});
  const double sigma = edm.sigma(0.4);
  EXPECT_NEAR(scaled.estimate(x, 0.4).value()[0].item<double>(),
              3 / std::sqrt(sigma * sigma + 0.25) + std::log(sigma) / 4, 1e-10);
  const Tensor times = vector_of({0.4, 0.4});
  EXPECT_NEAR(scaled.estimate(x, times).value()[1].item<double>(),
              scaled.estimate(x, 0.4).value()[1].item<double>(), 1e-12);
}

// With its last layer at zero an EDM network begins as the best linear denoiser of data of deviation
// sigma_data.
TEST(LearnedDenoiser, BeginsAsTheLinearDenoiser) {
  const auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3);
  const GaussianProcess vp = process("vp");
  const LearnedDenoiser denoiser(network, {.process = vp, .prediction = Prediction::edm(1.0)});
  const Tensor x = Rng(9).normal({5, 2});
  EXPECT_LT(worst(denoiser.estimate(x, 0.3).denoised(), vp.alpha(0.3) * x), 1e-6);
}

}  // namespace
}  // namespace fokker
