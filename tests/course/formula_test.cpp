// Formulas of a reader, and the diffusions that are written with them.
#include "fokker/course/problem/formula.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/error.h"
#include "fokker/course/problem/formula_sde.h"
#include "fokker/course/problem/known_diffusions.h"
#include "fokker/course/verify/statistic.h"
#include "fokker/sde/linear_sde.h"
#include "fokker/sde/simulate.h"
#include "fokker/target/gaussian_mixture.h"
#include "support.h"

namespace fokker::course {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(FormulaTest, ComputesRows) {
  const Formula f("f", "-x^3/2 + sin(pi*t) * exp(-x)", {"x", "t"});
  const Tensor rows = rows_of({{0.5, 0.25}, {-1, 0.5}});
  const Tensor values = f(rows);
  EXPECT_DOUBLE_EQ(values[0].item<double>(), -0.0625 + std::sin(M_PI / 4) * std::exp(-0.5));
  EXPECT_DOUBLE_EQ(values[1].item<double>(), 0.5 + std::exp(1.0));
  EXPECT_TRUE(f.uses("t"));
  EXPECT_FALSE(Formula("f", "2*x", {"x", "t"}).uses("t"));
}

TEST(FormulaTest, NamesThePlaceOfAnError) {
  const auto refusal = [](const char* text) { return [=] { Formula("b", text, {"x", "t"}); }; };
  EXPECT_THAT(
      refusal("x + 2*y"),
      ThrowsMessage<Error>(AllOf(HasSubstr("b: position 7 of 'x + 2*y': unknown name 'y'; valid names: x, t"),
                                 HasSubstr("pi"), HasSubstr("sqrt"))));
  EXPECT_THAT(refusal("(x + 1"), ThrowsMessage<Error>(HasSubstr("position")));
  EXPECT_THAT(refusal("x = 3"),
              ThrowsMessage<Error>(HasSubstr("position 3 of 'x = 3': nothing can be assigned")));
  EXPECT_THAT(refusal("0,5*x"), ThrowsMessage<Error>(HasSubstr("the decimal sign is a point")));
  EXPECT_THAT(refusal(" "), ThrowsMessage<Error>(HasSubstr("expected a formula but received nothing")));
  const Formula root("b", "sqrt(x)", {"x"});
  EXPECT_THAT([&] { root.at({-4}); }, ThrowsMessage<Error>(HasSubstr("'sqrt(x)' is not finite at x = -4")));
}

TEST(WrittenSdeTest, RefusesWhatItDoesNotKnow) {
  const auto refusal = [](const char* text) { return [=] { parse_sde(text); }; };
  EXPECT_THAT(refusal("b=x"), ThrowsMessage<Error>(HasSubstr("expected one form of the noise")));
  EXPECT_THAT(refusal("b=x; sigma=1; sigma1=2"), ThrowsMessage<Error>(HasSubstr("received several")));
  EXPECT_THAT(refusal("b=x; c=2; sigma=1"),
              ThrowsMessage<Error>(HasSubstr("unknown part 'c'; valid in 1 dimension")));
  EXPECT_THAT(refusal("b1=x2; b2=-x3; sigma=1"), ThrowsMessage<Error>(HasSubstr("sde: b2: position 2")));
  EXPECT_THAT(refusal("b1=x2; b2=-x1; sigma1=1"),
              ThrowsMessage<Error>(HasSubstr("expected sigma2 of the diagonal")));
  EXPECT_THAT(refusal("ornstein"), ThrowsMessage<Error>(HasSubstr("geometric, warped")));
  EXPECT_THAT(refusal("sigma=1"), ThrowsMessage<Error>(HasSubstr("expected a drift")));
}

/// The warped diffusion's cousin: a matrix that depends on x, whose divergence is known by hand.
TEST(WrittenSdeTest, MatrixAndItsDivergence) {
  const WrittenSde w = parse_sde("b1 = -x1; b2 = x1 - x2; sigma11 = 1 + x1^2; sigma21 = x2; sigma22 = 0.5");
  ASSERT_EQ(w.sde.dimension, 2);
  EXPECT_TRUE(w.state_dependent);
  const Tensor x = rows_of({{0.3, -0.7}});
  // a = [[(1+x1^2)^2, (1+x1^2) x2], [., x2^2 + 1/4]]; div a = (4 x1 (1+x1^2) + 1+x1^2, 2 x1 x2 + 2 x2).
  const double u = 1 + 0.09;
  const Tensor a = w.sde.dispersion.diffusion(x, 0)[0];
  EXPECT_NEAR(a[0][0].item<double>(), u * u, 1e-12);
  EXPECT_NEAR(a[0][1].item<double>(), u * -0.7, 1e-12);
  EXPECT_NEAR(a[1][1].item<double>(), 0.49 + 0.25, 1e-12);
  const Tensor divergence = diffusion_divergence(w.sde, x, 0)[0];
  EXPECT_NEAR(divergence[0].item<double>(), 1.2 * u + u, 1e-8);
  EXPECT_NEAR(divergence[1].item<double>(), 2 * 0.3 * -0.7 - 1.4, 1e-8);
}

/// A rotating linear diffusion: the closed form against the matrix exponential's.
TEST(WrittenSdeTest, AffineLawIsExact) {
  const WrittenSde w =
      parse_sde("b1 = -x1 + 0.6*x2 + 0.2; b2 = -0.8*x1 - 0.5*x2; sigma11=0.7; sigma21=0.3; sigma22=0.4");
  const GaussianMixture start(vector_of({0.4, 0.6}), rows_of({{1, 0}, {-1, 2}}), vector_of({0.3, 0.5}));
  const DiffusionLaw law = law_of_diffusion(w, &start, 2, 50, Rng(0));
  EXPECT_THAT(law.method, HasSubstr("closed form"));
  const LinearSde exact(rows_of({{-1, 0.6}, {-0.8, -0.5}}), rows_of({{0.7, 0}, {0.3, 0.4}}),
                        vector_of({0.2, 0}));
  const LinearTransition step = exact.transition(1);
  const Tensor x = rows_of({{0.5, 0.1}, {-0.3, 1}});
  std::vector<Tensor> covariances;
  for (int64_t k = 0; k < 2; ++k)
    covariances.push_back(step.F.matmul(start.component_covariance(k)).matmul(step.F.t()) + step.Q);
  const GaussianMixture then(start.weights(), start.means().matmul(step.F.t()) + step.offset,
                             at::stack(covariances));
  EXPECT_LT(worst(law.score(x, 1), then.score(x)), 1e-7);
}

/// The forward equation on a grid knows nothing of linearity, so it is tried on the law of a linear
/// diffusion: a start that is no mixture in the library's sense.
TEST(WrittenSdeTest, GridLawIsTheClosedForm) {
  const WrittenSde w = parse_sde("b=-x; sigma=0.8");
  const GaussianMixture mixture(vector_of({0.4, 0.6}), rows_of({{-1.5}, {1}}), vector_of({0.2, 0.4}));
  const FunctionDistribution start(
      {.name = "start",
       .dimension = 1,
       .log_density = [&](const Tensor& x) { return mixture.log_density(x); },
       .score = [&](const Tensor& x) { return mixture.score(x); },
       .sample = [&](int64_t n, const Rng& rng) { return mixture.sample(n, rng); }});
  const DiffusionLaw grid = law_of_diffusion(w, &start, 1, 20, Rng(0)),
                     exact = law_of_diffusion(w, &mixture, 1, 20, Rng(0));
  EXPECT_THAT(grid.method, HasSubstr("forward equation"));
  const Tensor x = at::linspace(-1.5, 1.5, 25, at::kDouble).unsqueeze(1);
  for (const double t : {0.25, 0.5, 1.0}) EXPECT_LT(worst(grid.score(x, t), exact.score(x, t)), 0.01) << t;
}

/// A double well with noise that depends on the state, forwards and backwards: the reversal ends in the
/// start's law with div a and not without it.
TEST(WrittenSdeTest, ReversesADoubleWell) {
  const WrittenSde w = parse_sde("b = x - x^3; sigma = 0.5 + 0.4*tanh(2*x)");
  const GaussianMixture start(vector_of({0.3, 0.7}), rows_of({{-0.6}, {0.5}}), vector_of({0.06, 0.12}));
  const int64_t n = 8000, steps = 150;
  const DiffusionLaw law = law_of_diffusion(w, &start, 1, steps, Rng(1));
  const auto distance = [&](const Sde& sde) {
    const Tensor x =
        simulate(reverse(sde, law.score, 1), law.sample_end(n, Rng(2)), uniform_times(0, 1, steps),
                 {.method = {}, .noise = wiener_increments(Rng(3)), .observer = {}});
    return verify::kolmogorov_smirnov(x.flatten(), start.sample(40'000, Rng(4)).flatten());
  };
  Sde without = w.sde;
  without.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  EXPECT_LT(distance(w.sde), 2.2 + 0.01 * std::sqrt(n));
  EXPECT_GT(distance(without), 5);
}

/// In the plane, with a drift that is neither linear nor a gradient: the reversal by the estimated score ends
/// in the start's law.
TEST(WrittenSdeTest, ReversesInThePlane) {
  const WrittenSde w =
      parse_sde("b1 = x1 - x1^3 - x2; b2 = x1 - x2; sigma1 = 0.7; sigma2 = 0.5 + 0.2*cos(x1)");
  const GaussianMixture start(vector_of({0.4, 0.6}), rows_of({{-1, 0.5}, {0.8, -0.4}}),
                              vector_of({0.15, 0.1}));
  const int64_t n = 1500, steps = 60;
  const DiffusionLaw law = law_of_diffusion(w, &start, 1, steps, Rng(1));
  EXPECT_THAT(law.method, HasSubstr("estimated"));
  const Tensor x =
      simulate(reverse(w.sde, law.score, 1), law.sample_end(n, Rng(2)), uniform_times(0, 1, steps),
               {.method = {}, .noise = wiener_increments(Rng(3)), .observer = {}});
  const Tensor data = start.sample(40'000, Rng(4));
  for (int64_t i = 0; i < 2; ++i)
    EXPECT_LT(verify::kolmogorov_smirnov(x.select(1, i), data.select(1, i)), 2.2 + 0.02 * std::sqrt(n)) << i;
  // There is a way to go: where the paths begin, the law is another.
  EXPECT_GT(verify::kolmogorov_smirnov(law.sample_end(n, Rng(2)).select(1, 1), data.select(1, 1)), 3.5);
}

TEST(WrittenSdeTest, RefusesWhatCannotBeReversed) {
  const GaussianMixture start = GaussianMixture::standard_normal(3);
  const WrittenSde w = parse_sde("b1=-x1^3; b2=-x2; b3=-x3; sigma=1");
  EXPECT_THAT([&] { law_of_diffusion(w, &start, 1, 10, Rng(0)); },
              ThrowsMessage<Error>(HasSubstr("this one has 3 dimensions and is not affine")));
}

}  // namespace
}  // namespace fokker::course
