#include "fokker/course/problem/guided_law.h"

#include "fokker/course/problem/labelled_mixture.h"
#include "support.h"

namespace fokker {
namespace {

GuidedLine two_normals(double weight) {
  return {.weak = GaussianMixture::gaussian(vector_of({0.4}), vector_of({1.6})),
          .strong = GaussianMixture::gaussian(vector_of({1.0}), vector_of({0.5})),
          .weight = weight};
}

// Of normal laws the flow is linear: variance v^w s^(1-w).
TEST(GuidedLaw, OfNormalLawsHasTheProductOfPowersAsVariance) {
  const Tensor x = at::linspace(-12, 14, 801, at::kDouble);
  for (const double weight : {0.0, 0.5, 1.0, 2.0, 3.0}) {
    const LineLaw law = guided_law(two_normals(weight), x);
    EXPECT_NEAR(law.variance(), std::pow(0.5, weight) * std::pow(1.6, 1 - weight), 1e-6) << weight;
  }
}

TEST(GuidedLaw, HasTheClosedFormsOfWeightTwo) {
  const double m = 1.2, v = 0.3;
  const GuidedLine line{.weak = GaussianMixture::standard_normal(1),
                        .strong = GaussianMixture::gaussian(vector_of({m}), vector_of({v})),
                        .weight = 2};
  const Tensor x = at::linspace(-6, 8, 801, at::kDouble);
  const LineLaw law = guided_law(line, x), tilted = tilted_law(line, x);
  EXPECT_NEAR(law.mean(), guided_normal(m, v).mean, 1e-6);
  EXPECT_NEAR(law.variance(), guided_normal(m, v).variance, 1e-6);
  EXPECT_NEAR(tilted.mean(), tilted_normal(m, v).mean, 1e-6);
  EXPECT_NEAR(tilted.variance(), tilted_normal(m, v).variance, 1e-6);
}

TEST(GuidedLaw, OfMixturesIsTheWeakAndTheStrongLawAtZeroAndOne) {
  const Tensor x = at::linspace(-5, 6, 501, at::kDouble), rows = x.unsqueeze(1);
  GuidedLine line{.weak = both_classes(), .strong = guided_class(1), .weight = 0};
  EXPECT_LT(worst(guided_law(line, x).density, both_classes().log_density(rows).exp()), 1e-6);
  EXPECT_LT(total_variation(guided_law(line, x), tilted_law(line, x)), 1e-6);
  line.weight = 1;
  EXPECT_LT(worst(guided_law(line, x).density, guided_class(1).log_density(rows).exp()), 1e-6);
  EXPECT_LT(wasserstein(guided_law(line, x), tilted_law(line, x)), 1e-4);
}

TEST(GuidedLaw, IsThatOfItsMap) {
  const GuidedLine line{.weak = both_classes(), .strong = guided_class(1), .weight = 3, .interval = {0.3, 2}};
  const Tensor z = at::linspace(-2, 2, 9, at::kDouble), x = carried_to_data(line, z);
  EXPECT_LT(worst(guided_law(line, x).distribution, 0.5 * at::erfc(-z / std::sqrt(2.0))), 1e-6);
  const Tensor fine = at::linspace(-5, 6, 1001, at::kDouble);
  const LineLaw law = guided_law(line, fine);
  EXPECT_NEAR(law.density.sum().item<double>() * 11 / 1000, 1, 1e-6);
  const Tensor slope = (law.distribution.slice(0, 2) - law.distribution.slice(0, 0, -2)) / (2 * 11.0 / 1000);
  EXPECT_LT(worst(slope, law.density.slice(0, 1, -1)), 2e-3);
}

TEST(LabelledMixture, IsTheExactDenoiserOfEachRow) {
  const GaussianProcess vp{VariancePreserving{}};
  const LabelledMixture both(both_classes(), {guided_class(0), guided_class(1)}, vp);
  const Tensor x = vector_of({-1, 0.3, 2, 0}).unsqueeze(1), labels = at::tensor({1, 0, -1, 1}, at::kLong);
  const Tensor found = both.estimate(x, 0.4, labels).denoised();
  const auto exact = [&](const GaussianMixture& law, int64_t i) {
    return AnalyticDenoiser(law, vp).estimate(x.narrow(0, i, 1), 0.4).denoised()[0];
  };
  EXPECT_LT(worst(found[0], exact(guided_class(1), 0)), 1e-12);
  EXPECT_LT(worst(found[1], exact(guided_class(0), 1)), 1e-12);
  EXPECT_LT(worst(found[2], exact(both_classes(), 2)), 1e-12);
  EXPECT_LT(worst(found[3], exact(guided_class(1), 3)), 1e-12);
}

}  // namespace
}  // namespace fokker
