#include "fokker/target/toys.h"

#include <gmock/gmock.h>

#include <fstream>

#include "target/reference.h"

namespace fokker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t n = 40'000;

/// |mean(values) - expected| within 4.5 standard errors.
void expect_mean(const Tensor& values, double expected, const char* what) {
  const double error = values.std().item<double>() / std::sqrt(static_cast<double>(values.numel()));
  EXPECT_NEAR(values.mean().item<double>(), expected, 4.5 * error) << what;
}

Tensor drawn(const std::string& spec) {
  return make_target(spec)->sample(n, Rng(1));
}

TEST(Toys, EverySamplerIsKeyedByIndexAndEveryOtherSaysSo) {
  for (const auto& name : target_names()) {
    const auto target = make_target(name);
    if (!target->can_sample()) {
      EXPECT_THAT(error_of([&] { target->sample(1, Rng(1)); }), HasSubstr(name + ": has no exact sampler"));
      continue;
    }
    const Tensor many = target->sample(64, Rng(3));
    EXPECT_EQ(many.scalar_type(), at::kDouble) << name;
    EXPECT_EQ(many.sizes(), (IntArrayRef{64, target->dimension()})) << name;
    EXPECT_TRUE(at::equal(target->sample(32, Rng(3)), many.slice(0, 0, 32))) << name;
    EXPECT_FALSE(at::equal(target->sample(64, Rng(4)), many)) << name;
  }
}

TEST(Toys, ScoresAreGradientsOfTheLogDensity) {
  const double h = 1e-5;
  for (const std::string name :
       {"rings", "banana", "funnel", "double-well", "eight-gaussians", "two-modes"}) {
    const auto target = make_target(name);
    const Tensor x = Rng(2).normal({20, target->dimension()}, {}, at::kDouble);
    const Tensor score = target->score(x);
    for (int64_t j = 0; j < target->dimension(); ++j) {
      Tensor e = at::zeros({target->dimension()}, at::kDouble);
      e[j] = h;
      const Tensor slope = (target->log_density(x + e) - target->log_density(x - e)) / (2 * h);
      EXPECT_LT(relative_gap(slope, score.select(1, j)), 1e-5) << name << " coordinate " << j;
    }
  }
}

TEST(Toys, DensitiesIntegrateToOne) {
  const auto grid_sum = [](const Distribution& target, double low, double high, double step) {
    const Tensor axis = at::arange(low + step / 2, high, step, at::kDouble);
    const auto grid = at::meshgrid({axis, axis}, "ij");
    const Tensor points = at::stack({grid[0].flatten(), grid[1].flatten()}, 1);
    return target.log_density(points).exp().sum().item<double>() * step * step;
  };
  EXPECT_NEAR(grid_sum(*make_target("checkerboard"), -5, 5, 0.1), 1, 1e-12);
  EXPECT_NEAR(grid_sum(*make_target("rings"), -4, 4, 0.02), 1, 1e-9);
  EXPECT_NEAR(grid_sum(*make_target("eight-gaussians"), -8, 8, 0.1), 1, 1e-12);
  EXPECT_NEAR(grid_sum(*make_target("banana:scale=1,curvature=0.5"), -20, 20, 0.1), 1, 1e-6);
  EXPECT_FALSE(make_target("double-well")->normalised());
}

// Where density and sampler are independent of each other, E[x . score] = -d ties them together.
TEST(Toys, SamplersAgreeWithScores) {
  for (const std::string name : {"rings", "banana", "eight-gaussians", "two-modes", "funnel:scale=1"}) {
    const auto target = make_target(name);
    const Tensor x = target->sample(n, Rng(5)), score = target->score(x);
    if (name != "rings")  // 1 / |x| has no second moment at the origin
      for (int64_t j = 0; j < target->dimension(); ++j) expect_mean(score.select(1, j), 0, name.c_str());
    expect_mean((x * score).sum(1), -static_cast<double>(target->dimension()), name.c_str());
  }
}

TEST(Toys, MixturesAreThoseOfTheSources) {
  const auto two = make_target("two-modes");
  const auto* mixture = as_gaussian_mixture(*two);
  ASSERT_NE(mixture, nullptr);
  const double at_first = std::log(0.2 / (2 * std::numbers::pi)),
               at_second = std::log(0.8 / (2 * std::numbers::pi));
  const Tensor density = two->log_density(numbers({-5, -5, 5, 5}).reshape({2, 2}));
  EXPECT_NEAR(density[0].item<double>(), at_first, 1e-14);
  EXPECT_NEAR(density[1].item<double>(), at_second, 1e-14);
  const Tensor points =
      std::get<0>(as_gaussian_mixture(*make_target("four-points"))->means().sort(0)).squeeze(1);
  EXPECT_TRUE(at::equal(points, numbers({-15, -5, 1, 15})));
  EXPECT_EQ(make_target("standard-normal:dimension=16")->dimension(), 16);
  const auto eight = make_target("eight-gaussians:radius=2,deviation=0.1");
  EXPECT_TRUE(
      at::allclose(as_gaussian_mixture(*eight)->means().norm(2, {1}), at::full({8}, 2.0, at::kDouble)));
  EXPECT_NEAR(as_gaussian_mixture(*eight)->component_covariance(3)[1][1].item<double>(), 0.01, 1e-16);
  EXPECT_EQ(as_gaussian_mixture(*make_target("moons")), nullptr);
}

TEST(Toys, RingsHaveTheirRadii) {
  const Tensor x = drawn("rings:rings=3,noise=0.02"), radius = x.norm(2, {1});
  for (int64_t r = 1; r <= 3; ++r) {
    const Tensor mine = radius.masked_select((radius - r).abs() < 0.5);
    EXPECT_NEAR(static_cast<double>(mine.numel()), n / 3.0, 4.5 * std::sqrt(n * 2.0 / 9));
    expect_mean(mine, static_cast<double>(r), "radius");
    EXPECT_NEAR(mine.std().item<double>(), 0.02, 4.5 * 0.02 / std::sqrt(2.0 * n / 3));
  }
  expect_mean(x.select(1, 0), 0, "x");
  expect_mean(x.select(1, 0) * x.select(1, 1), 0, "xy");
}

TEST(Toys, CheckerboardFillsItsSquaresEvenly) {
  const auto target = make_target("checkerboard");
  const Tensor x = target->sample(n, Rng(1)), square = ((x + 4) / 2).floor().to(at::kLong);
  EXPECT_TRUE((target->log_density(x) == -std::log(32.0)).all().item<bool>());
  const Tensor counts = at::bincount(square.select(1, 0) * 4 + square.select(1, 1), {}, 16).reshape({4, 4});
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 4; ++j) {
      const auto count = counts[i][j].item<int64_t>();
      if ((i + j) % 2)
        EXPECT_EQ(count, 0);
      else
        EXPECT_NEAR(static_cast<double>(count), n / 8.0, 4.5 * std::sqrt(n * 7.0 / 64));
    }
  const Tensor within = x.remainder(2);  // uniform on each square
  expect_mean(within.select(1, 0), 1, "x in square");
  expect_mean(within.select(1, 1), 1, "y in square");
  expect_mean((within.select(1, 1) - 1).square(), 1.0 / 3, "y^2 in square");
  EXPECT_EQ(target->log_density(numbers({-3, -1}).unsqueeze(0)).item<double>(), -HUGE_VAL);
  EXPECT_EQ(target->log_density(numbers({5, 5}).unsqueeze(0)).item<double>(), -HUGE_VAL);
  EXPECT_THAT(error_of([&] { target->score(x); }), HasSubstr("checkerboard: its score is not known"));
}

TEST(Toys, CurvesWithoutNoiseLieOnTheirEquations) {
  const Tensor moons = drawn("moons:noise=0");
  const Tensor upper = (moons.norm(2, {1}) - 1).abs() + moons.select(1, 1).clamp_max(0).abs();
  const Tensor other = moons - numbers({1, 0.5});
  const Tensor lower = (other.norm(2, {1}) - 1).abs() + other.select(1, 1).clamp_min(0);
  EXPECT_LT(at::minimum(upper, lower).max().item<double>(), 1e-12);
  expect_mean((upper < 1e-12).to(at::kDouble), 0.5, "upper moon");
  expect_mean(moons.select(1, 0), 0.5, "x");
  expect_mean(moons.select(1, 1), 0.25, "y");

  const Tensor roll = drawn("swiss-roll:noise=0"), angle = 5 * roll.norm(2, {1});
  EXPECT_LT((roll.select(1, 0) - angle / 5 * angle.cos()).abs().max().item<double>(), 1e-12);
  EXPECT_LT((roll.select(1, 1) - angle / 5 * angle.sin()).abs().max().item<double>(), 1e-12);
  expect_mean(angle, 3 * std::numbers::pi, "angle");

  const Tensor spiral = drawn("spirals:noise=0"), s = spiral.norm(2, {1}) / 4;
  const Tensor turn = 3 * std::numbers::pi * s;
  const Tensor along = (spiral.select(1, 0) * turn.cos() + spiral.select(1, 1) * turn.sin()) / (4 * s);
  EXPECT_LT((along.abs() - 1).abs().max().item<double>(), 1e-10);  // on one arm or the opposite one
  expect_mean(along, 0, "balance of the arms");
  expect_mean(s.square(), 0.5, "arc length");
}

TEST(Toys, PinwheelArmsAreRotatedGaussians) {
  const Tensor x = drawn("pinwheel:arms=5") / 2;
  // Rotation keeps the norm: |u|^2 has mean 1 + 0.3^2 + 0.05^2.
  expect_mean(x.square().sum(1), 1.0925, "squared norm");
  expect_mean(x.select(1, 0), 0, "x");
  expect_mean(x.select(1, 1), 0, "y");
  // Fivefold symmetry: the first harmonic that survives is the fifth.
  const Tensor angle = at::atan2(x.select(1, 1), x.select(1, 0));
  for (int64_t k = 1; k < 5; ++k) expect_mean((angle * k).cos(), 0, "harmonic");
  EXPECT_GT(
      (angle * 5).cos().mean().square().item<double>() + (angle * 5).sin().mean().square().item<double>(),
      0.1);
}

TEST(Toys, EnergiesSampleTheirLaw) {
  const Tensor banana = drawn("banana:scale=2,curvature=0.25");
  expect_mean(banana.select(1, 0).square(), 4, "banana x1^2");
  expect_mean(banana.select(1, 1), 0, "banana x2");
  expect_mean(banana.select(1, 1).square(), 1 + 0.0625 * 2 * 16, "banana x2^2");
  const Tensor funnel = drawn("funnel:dimension=4"), v = funnel.select(1, 0);
  expect_mean(v, 0, "funnel v");
  expect_mean(v.square(), 9, "funnel v^2");
  expect_mean(funnel.select(1, 3).square() * (-v).exp(), 1, "funnel x3^2 / exp(v)");
  const auto well = make_target("double-well:height=3,dimension=1");
  const Tensor energy = -well->log_density(numbers({-1, 0, 1}).unsqueeze(1));
  EXPECT_TRUE(at::equal(energy, numbers({0, 3, 0})));
}

TEST(Toys, UnknownNamesAndParametersListTheValidOnes) {
  EXPECT_THAT(error_of([] { make_target("moon"); }),
              AllOf(HasSubstr("unknown target 'moon'"), HasSubstr("moons"), HasSubstr("data:FILE")));
  EXPECT_THAT(error_of([] { make_target("rings:nose=1"); }),
              HasSubstr("target 'rings': unknown parameter 'nose'; it has: rings, noise"));
  EXPECT_THAT(error_of([] { make_target("two-modes:x=1"); }), HasSubstr("it has none"));
  EXPECT_THAT(error_of([] { make_target("moons:noise=abc"); }),
              HasSubstr("noise: expected a number but received 'abc'"));
  EXPECT_THAT(error_of([] { make_target("moons:noise=-1"); }), HasSubstr("noise: expected a number >= 0"));
  EXPECT_THAT(error_of([] { make_target("funnel:dimension=2.5"); }),
              HasSubstr("dimension: expected a whole number from 2 to"));
  EXPECT_THAT(error_of([] { make_target("moons:0.1"); }),
              HasSubstr("expected name:key=value,key=value but received 'moons:0.1'"));
  EXPECT_THAT(error_of([] {
                make_target("moons")->log_density(at::zeros({1, 2}));
              }),
              HasSubstr("moons: its density is not known"));
}

TEST(Toys, DataBecomesItsEmpiricalDistribution) {
  const Tensor images = Rng(6).normal({5, 1, 2, 2});
  const auto target = make_target("data:some/file.npy", [&](const std::string& path) {
    EXPECT_EQ(path, "some/file.npy");
    return images;
  });
  EXPECT_TRUE(at::equal(as_gaussian_mixture(*target)->means(), images.reshape({5, 4}).to(at::kDouble)));
  EXPECT_FALSE(target->has_density());
  EXPECT_THAT(error_of([] { make_target("data:x.npy"); }), HasSubstr("function that loads rows"));
  EXPECT_THAT(
      error_of([] { make_target("data:x.npy", [](const std::string&) {
                      return at::full({2, 2}, NAN);
                    }); },
               ErrorKind::input),
      HasSubstr("x.npy: expected finite numbers"));
}

}  // namespace
}  // namespace fokker
