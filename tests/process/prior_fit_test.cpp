#include "fokker/process/prior_fit.h"

#include <numbers>

#include "support.h"

namespace fokker {
namespace {

double normal_density(double x, double variance) {
  return std::exp(-0.5 * x * x / variance) / std::sqrt(2 * std::numbers::pi * variance);
}

/// The total variation between alpha z + sigma eps and the prior, z of mean 0 and variance 1 in two points of
/// weights 0.2 and 0.8, by quadrature.
double total_variation(const GaussianProcess& process) {
  const double alpha = process.alpha(1), sigma = process.sigma(1), v = process.prior_variance();
  const double step = 1e-3 * std::sqrt(v);
  double total = 0;
  for (double x = -12 * std::sqrt(v); x < 12 * std::sqrt(v); x += step) {
    const double p = 0.2 * normal_density(x + 2 * alpha, sigma * sigma) +
                     0.8 * normal_density(x - 0.5 * alpha, sigma * sigma);
    total += 0.5 * std::abs(p - normal_density(x, v)) * step;
  }
  return total;
}

// Where it is said to fit, no probability is off by more than 0.021; at a ratio of 1 one is off by 0.11.
TEST(PriorFit, BoundsWhatAnyProbabilityIsOffBy) {
  EXPECT_NEAR(total_variation(make_schedule("brownian")), 0.110, 0.001);
  EXPECT_NEAR(total_variation(make_schedule("brownian:sigma=2")), 0.0203, 0.0005);
  for (const char* spec : {"vp", "vp:beta_max=5", "vp:beta_max=3", "vp:beta_max=1", "vp-cosine", "sub-vp",
                           "sub-vp:beta_max=2", "ve", "ve:sigma_max=0.5", "ddpm", "ddpm:steps=200",
                           "ddpm:steps=100", "ddpm:steps=10", "vp-constant:beta=1", "edm"}) {
    const GaussianProcess process(make_schedule(spec));
    const PriorFit fit = prior_fit(process, 1.0);
    EXPECT_EQ(fit.fits(), total_variation(process) < 0.0205) << spec << " " << fit.text();
  }
}

TEST(PriorFit, HoldsForEveryUsualProcessOnUsualData) {
  // 17: pixels of Fashion-MNIST, about zero; 15: of CIFAR-10; 7: fifty columns that are one.
  for (const double spread : {0.0, 1.0, 7.0, 15.0, 17.0})
    for (const std::string& name : schedule_names())
      EXPECT_EQ(prior_fit(make_schedule(name), spread).fits(), name != "brownian") << name << " " << spread;
}

TEST(PriorFit, ComparesThePriorWithTheLawWhereSamplingStarts) {
  const GaussianProcess ve(make_schedule("ve"));
  EXPECT_FALSE(prior_fit(ve, 1, 0.9).fits()) << "the prior is 2.3 times as wide as x_0.9";
  EXPECT_THAT(prior_fit(ve, 1, 0.9).text(), ::testing::HasSubstr("2.3 times as wide"));
  EXPECT_TRUE(prior_fit(make_schedule("vp"), 1, 0.9).fits());
  // Rows that are not scaled at all.
  EXPECT_FALSE(prior_fit(make_schedule("vp"), 1e5).fits());
  EXPECT_THAT(prior_fit(make_schedule("ve:sigma_max=0.5"), 1).text(),
              ::testing::HasSubstr("at t = 1 the data is still 1 beside noise of 0.5"));
}

TEST(PriorFit, NamesAProcessOfTheSameKindThatFits) {
  for (const char* spec :
       {"ve:sigma_max=0.5", "ve:sigma_min=0.1,sigma_max=0.5", "edm:sigma_max=1,rho=5", "brownian",
        "vp:beta_max=1", "vp:beta_min=0.2,beta_max=1", "sub-vp:beta_max=1", "vp-constant:beta=0.1",
        "vp-cosine:time_scale=0.5", "ddpm:steps=10", "ddpm:steps=1", "ddpm:steps=200,beta_last=0.01"})
    for (const double spread : {1.0, 4.0}) {
      const std::string better = fitting_process(make_schedule(spec), spread);
      const auto name = [](const std::string& text) { return text.substr(0, text.find(':')); };
      ASSERT_EQ(name(better), name(spec)) << spec << " at " << spread;
      EXPECT_LE(prior_fit(make_schedule(better), spread).ratio(), 0.0501) << spec << " -> " << better;
    }
  EXPECT_EQ(fitting_process(make_schedule("ve:sigma_max=0.5"), 1), "ve:sigma_max=20");
  EXPECT_EQ(fitting_process(make_schedule("edm:sigma_max=1,rho=5"), 1), "edm:sigma_max=20,rho=5");
  EXPECT_EQ(fitting_process(make_schedule("ddpm:steps=10"), 1), "ddpm:steps=1000");
  EXPECT_EQ(fitting_process(make_schedule("vp-cosine:time_scale=0.5"), 1), "vp-cosine:time_scale=0.99");
  EXPECT_EQ(fitting_process(make_schedule("vp-cosine:time_scale=0.5"), 100), "vp-cosine:time_scale=0.9999");
}

TEST(PriorFit, SpreadIsTheLargestRootMeanSquareOfADirection) {
  // Rows +-3 u and +-1 w of an orthonormal pair: E x x^T has the eigenvalues 9/2 and 1/2.
  const Tensor u = vector_of({0.6, 0.8}), w = vector_of({-0.8, 0.6});
  const Tensor rows = at::stack({3 * u, -3 * u, w, -w});
  EXPECT_NEAR(data_spread(rows), std::sqrt(4.5), 1e-9);
  EXPECT_NEAR(data_spread(1e200 * rows), 1e200 * std::sqrt(4.5), 1e191);
  // About zero: a mean counts.
  EXPECT_NEAR(data_spread(rows + 100 * u), std::sqrt(4.5 + 1e4), 0.01);
  EXPECT_EQ(data_spread(at::zeros({3, 2}, at::kDouble)), 0);
  EXPECT_NEAR(data_spread(Rng(1).normal({60'000, 3}, {}, at::kDouble)), 1, 0.05);
  EXPECT_NEAR(data_spread(at::full({5, 1, 4, 4}, 0.5)), 0.5 * 4, 1e-6) << "images, as their pixels";
}

}  // namespace
}  // namespace fokker
