#include "fokker/course/problem/known_diffusions.h"

#include <gtest/gtest.h>

#include "fokker/sde/jacobian.h"
#include "support.h"

namespace fokker {
namespace {

Tensor grid_of_points(int64_t d) {
  return 0.5 * Rng(3).normal({30, d}, {}, at::kDouble);
}

TEST(GeometricBrownian, HasTheScoreAndTheLawOfItsDensity) {
  const GeometricBrownian g;
  const Tensor x = grid_of_points(1).exp();
  const Tensor slope =
      jacobian([&](const Tensor& y) { return g.log_density(y, 0.6).unsqueeze(1); }, x).squeeze(1);
  EXPECT_LT(worst(g.score(x, 0.6), slope), 1e-12);
  // The density integrates to one and to the mean exp(m + v/2).
  const Tensor y = at::linspace(-8, 8, 4001, at::kDouble), grid = y.exp().unsqueeze(1);
  const Tensor mass = g.log_density(grid, 0.6).exp() * y.exp() * (16.0 / 4000);
  EXPECT_NEAR(mass.sum().item<double>(), 1, 1e-10);
  EXPECT_NEAR((mass * y.exp()).sum().item<double>(), std::exp(g.log_mean(0.6) + 0.5 * g.log_variance(0.6)),
              1e-9);
  // Samples: four standard errors.
  const Tensor logs = g.sample(0.6, 20'000, Rng(1)).log();
  EXPECT_NEAR(logs.mean().item<double>(), g.log_mean(0.6), 4 * std::sqrt(g.log_variance(0.6) / 20'000));
  EXPECT_NEAR(logs.var().item<double>() / g.log_variance(0.6), 1, 4 * std::sqrt(2.0 / 20'000));
}

TEST(WarpedLinear, HasTheScoreOfItsDensityAndAnInverse) {
  const WarpedLinear w;
  const Tensor x = grid_of_points(2);
  const Tensor slope =
      jacobian([&](const Tensor& y) { return w.log_density(y, 0.6).unsqueeze(1); }, x).squeeze(1);
  EXPECT_LT(worst(w.score(x, 0.6), slope), 1e-10);
  EXPECT_LT(worst(w.to_x(w.to_y(x)), x), 1e-14);
  // The change of variables: the density is that of y over |det dx/dy|.
  const Tensor J = jacobian([&](const Tensor& y) { return w.to_x(y); }, w.to_y(x));
  const Tensor r = w.to_y(x) - w.mean(0.6), P = w.covariance(0.6);
  const Tensor normal =
      -0.5 * (r.matmul(at::linalg_inv(P)) * r).sum(1) - 0.5 * at::linalg_det(P).log() - std::log(2 * M_PI);
  EXPECT_LT(worst(w.log_density(x, 0.6), normal - at::linalg_det(J).abs().log()), 1e-12);
  const Tensor y = w.sample_y(0.6, 20'000, Rng(1));
  EXPECT_LT(worst(y.mean(0) / (P.diagonal() / 20'000).sqrt(), w.mean(0.6) / (P.diagonal() / 20'000).sqrt()),
            4);
}

}  // namespace
}  // namespace fokker
