#include "fokker/denoise/estimate.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "fokker/core/error.h"

namespace fokker {
namespace {

/// A process, a prediction and a time.
using Case = std::tuple<std::string, std::string, double>;

class Conversions : public ::testing::TestWithParam<Case> {
 protected:
  GaussianProcess process{make_schedule(std::string_view(std::get<0>(GetParam())))};
  Prediction prediction = Prediction::from_name(std::get<1>(GetParam()), 1.7);
  double t = std::get<2>(GetParam());
  double alpha = process.alpha(t), sigma = process.sigma(t);
  Tensor x0 = Rng(11).normal({64, 3}, {}, at::kDouble);
  Tensor noise = Rng(12).normal({64, 3}, {}, at::kDouble);
  Tensor x = process.perturb(x0, noise, t);
  PathCoefficients velocity = process.schedule()->velocity(t);

  Tensor value() const {
    const PathCoefficients c = prediction.target(process.schedule().model(), t);
    return c.data * x0 + c.noise * noise;
  }
  static double relative(const Tensor& actual, const Tensor& expected) {
    return ((actual.to(at::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
  }
};

// Every quantity follows exactly from (x_t, value), whatever was predicted, also where sigma or alpha nearly
// vanish.
TEST_P(Conversions, RecoverDataNoiseScoreAndVelocity) {
  const Estimate estimate(x, value(), prediction, process, t);
  // What the conversion must divide by bounds what float64 can give back.
  const double lost = 1e-14 / std::min({1.0, alpha, sigma});
  const double wide = 1e-14 * std::max(1.0, sigma);
  EXPECT_LT(relative(estimate.denoised(), x0), lost + wide);
  EXPECT_LT(relative(estimate.noise(), noise), lost + wide);
  EXPECT_LT(relative(estimate.score(), -noise / sigma), lost + wide);
  EXPECT_LT(relative(estimate.velocity(), velocity.data * x0 + velocity.noise * noise), lost + wide);
}

// With float32 inputs the result is that of exact arithmetic on those inputs, to a few roundings: no
// cancellation is added.
TEST_P(Conversions, AddNoCancellationInFloat32) {
  const Tensor x32 = x.to(at::kFloat), value32 = value().to(at::kFloat);
  const Estimate narrow(x32, value32, prediction, process, t);
  const Estimate exact(x32.to(at::kDouble), value32.to(at::kDouble), prediction, process, t);
  const double tolerance = 1e-6 * std::max(1.0, std::min(sigma / alpha, 100.0));
  EXPECT_LT(relative(narrow.denoised(), exact.denoised()), tolerance);
  EXPECT_LT(relative(narrow.noise(), exact.noise()), 1e-6);
  EXPECT_LT(relative(narrow.score(), exact.score()), 1e-6);
  EXPECT_LT(relative(narrow.velocity(), exact.velocity()), tolerance);
}

TEST_P(Conversions, AgreeBetweenOneTimeAndOnePerSample) {
  const Estimate one(x, value(), prediction, process, t);
  const Estimate many(x, value(), prediction, process, at::full({64}, t, at::kDouble));
  EXPECT_LT(relative(many.denoised(), one.denoised()), 1e-12);
  EXPECT_LT(relative(many.score(), one.score()), 1e-12);
  EXPECT_LT(relative(many.flow_rate(), one.flow_rate()), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(All, Conversions,
                         ::testing::Combine(::testing::Values("vp", "sub-vp", "ve", "flow", "edm", "ddpm"),
                                            ::testing::Values("noise", "data", "velocity", "score", "edm"),
                                            ::testing::Values(1e-6, 0.001, 0.4, 0.9, 0.9999)));

// Salimans and Ho (2022): v = alpha eps - sigma x_0. Rectified flow: eps - x_0.
TEST(Velocity, IsTheOneOfThePapers) {
  const GaussianProcess vp{VariancePreserving{}}, flow{Flow{}}, ve{VarianceExploding{}};
  const auto v = vp.schedule()->velocity(0.3);
  EXPECT_DOUBLE_EQ(v.data, -vp.sigma(0.3));
  EXPECT_DOUBLE_EQ(v.noise, vp.alpha(0.3));
  EXPECT_EQ(flow.schedule()->velocity(0.3).data, -1);
  EXPECT_EQ(flow.schedule()->velocity(0.3).noise, 1);
  EXPECT_EQ(ve.schedule()->velocity(0.3).data, 0);
}

// Karras et al. (2022), Table 1: D = c_skip x + c_out F.
TEST(EdmPrediction, IsKarrasPreconditioning) {
  const GaussianProcess edm{Edm{}};
  const double sd = 0.5, t = 0.6, sigma = edm.sigma(t);
  const Conversion c = Prediction::edm(sd).to_denoised(edm.schedule().model(), t);
  EXPECT_NEAR(c.state, sd * sd / (sigma * sigma + sd * sd), 1e-14);
  EXPECT_NEAR(c.value, sigma * sd / std::sqrt(sigma * sigma + sd * sd), 1e-14);
}

// The probability flow of S3 section 3.3: f x - g^2/2 score.
TEST(FlowRate, IsTheProbabilityFlow) {
  for (const char* spec : {"vp", "sub-vp", "ve", "flow", "brownian"}) {
    const GaussianProcess p{make_schedule(spec)};
    const Tensor x = Rng(1).normal({8, 2}, {}, at::kDouble), noise = Rng(2).normal({8, 2}, {}, at::kDouble);
    const Estimate e(x, noise, Prediction::noise(), p, 0.37);
    const Tensor expected =
        x * p.schedule()->drift(0.37) - 0.5 * p.schedule()->diffusion_squared(0.37) * e.score();
    EXPECT_LT((e.flow_rate() - expected).abs().max().item<double>(),
              1e-10 * expected.abs().max().item<double>())
        << spec;
  }
}

// Rows that no memory holds: what libtorch throws in a conversion comes out as the library's error.
TEST(Estimate, ConversionsThrowErrorsOfTheLibrary) {
  const Tensor many = at::zeros({1, 1}, at::kDouble).expand({int64_t{1} << 57, 2});
  const Estimate plain(many, many, Prediction::velocity(), VariancePreserving{}, 0.5);
  const Estimate moved = plain.with_score_added(many);
  for (const auto& convert : {&Estimate::denoised, &Estimate::noise, &Estimate::score, &Estimate::velocity,
                              &Estimate::flow_rate, &Estimate::value})
    expect_error([&] { (moved.*convert)(); }, ErrorKind::resource, "out of memory");
  expect_error([&] { moved.with_score_added(many); }, ErrorKind::resource, "out of memory");
  expect_error([&] { plain.towards(moved, 0.5); }, ErrorKind::resource, "out of memory");
}

TEST(Estimate, RefusesAnotherShape) {
  EXPECT_THROW(Estimate(at::zeros({2, 3}), at::zeros({2, 1}), Prediction::noise(), VariancePreserving{}, 0.5),
               Error);
  EXPECT_THROW(Prediction::from_name("nois"), Error);
}

}  // namespace
}  // namespace fokker
