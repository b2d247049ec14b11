// The dispersion in each of its forms, and the divergence of a = sigma sigma^T.
#include <gtest/gtest.h>

#include "diffusions.h"
#include "fokker/sde/jacobian.h"
#include "fokker/sde/sde.h"

namespace fokker {
namespace {

Tensor unit(int64_t d, int64_t j) {
  return at::eye(d, at::kDouble)[j];
}

/// Central differences of a: sum over j of da_ij / dx_j.
Tensor divergence_by_differences(const Dispersion& sigma, const Tensor& x, double t) {
  Tensor sum = at::zeros_like(x);
  const double h = 1e-5;
  for (int64_t j = 0; j < x.size(1); ++j) {
    const Tensor step = h * unit(x.size(1), j);
    sum += ((sigma.diffusion(x + step, t) - sigma.diffusion(x - step, t)) / (2 * h)).select(2, j);
  }
  return sum;
}

TEST(Jacobian, DifferentiatesEachEntry) {
  const Tensor x = points(10, 2), a = x.select(1, 0), b = x.select(1, 1);
  const RowFunction f = [](const Tensor& y) {
    const Tensor p = y.select(1, 0), q = y.select(1, 1);
    return at::stack({p * q, q.exp(), at::ones_like(p)}, 1);
  };
  const Tensor zero = at::zeros_like(a);
  const Tensor expected =
      at::stack({at::stack({b, a}, 1), at::stack({zero, b.exp()}, 1), at::stack({zero, zero}, 1)}, 1);
  EXPECT_LT(worst(jacobian(f, x), expected), 1e-15);
  EXPECT_LT(worst(gradient_of_sum(f, x), expected.sum(1)), 1e-15);
  EXPECT_LT(worst(jacobian_diagonal([&](const Tensor& y) { return f(y).slice(1, 0, 2); }, x),
                  at::stack({b, b.exp()}, 1)),
            1e-15);
  // Rows and columns differ: [[p q, p], [q^2, exp(q)]] has row divergences q and exp(q).
  const RowFunction matrix = [](const Tensor& y) {
    const Tensor p = y.select(1, 0), q = y.select(1, 1);
    return at::stack({at::stack({p * q, p}, 1), at::stack({q.square(), q.exp()}, 1)}, 1);
  };
  EXPECT_LT(worst(row_divergence(matrix, x), at::stack({b, b.exp()}, 1)), 1e-15);
  const RowFunction constant = [](const Tensor& y) { return at::ones({y.size(0), 2, 2}, y.options()); };
  EXPECT_EQ(worst(row_divergence(constant, x), at::zeros_like(x)), 0);
}

TEST(Divergence, OfAFullMatrixIsExact) {
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(20, 3);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.7), divergence_by_differences(sigma, x, 0.7)), 2e-8);
}

// Here a = J S J^T in closed form, so div a follows by hand.
TEST(Divergence, OfTheWarpedDiffusionAgreesWithTheFormula) {
  const WarpedLinear w;
  const Tensor x = points(50, 2), y = w.to_y(x);
  const Tensor a = y.select(1, 0), b = y.select(1, 1);
  const Tensor C1 = a.cosh(), C2 = b.cosh();
  const double s11 = 0.49, s12 = 0.21, s22 = 0.25, c = w.c;
  // Derivatives along x: y1_x1 = 1/C1, y2_x1 = -2 c y1 / (C1 C2), y2_x2 = 1/C2.
  const Tensor y2_x1 = -2 * c * a / (C1 * C2);
  const Tensor da11_d1 = 2 * s11 * a.sinh();
  const Tensor da12_d2 = s12 * C1 * b.sinh() / C2;
  const Tensor da21_d1 =
      s11 * 2 * c * (C1 + a * a.sinh()) / C1 + s12 * (a.sinh() * C2 / C1 + C1 * b.sinh() * y2_x1);
  const Tensor da22_d2 = (4 * c * a * s12 * b.sinh() + 2 * s22 * C2 * b.sinh()) / C2;
  const Tensor expected = at::stack({da11_d1 + da12_d2, da21_d1 + da22_d2}, 1);
  EXPECT_LT(worst(w.sde().dispersion.diffusion_divergence(x, 0), expected), 1e-10);
}

TEST(Divergence, OfADiagonalIsExact) {
  const auto sigma =
      Dispersion::diagonal([](const Tensor& x, double t) { return t + x.square() + x.sum(1, true); });
  const Tensor x = points(20, 3);
  const Tensor s = sigma.value(x, 0.3);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.3), 2 * s * (2 * x + 1)), 1e-12);
  EXPECT_LT(worst(sigma.diffusion_divergence(x, 0.3), divergence_by_differences(sigma, x, 0.3)), 2e-8);
}

TEST(Divergence, IsZeroWhereTheNoiseIgnoresTheState) {
  const Tensor x = points(5, 2);
  EXPECT_EQ(worst(Dispersion::scalar(2.0).diffusion_divergence(x, 0), at::zeros_like(x)), 0);
  const LinearSde linear(rows_of({{-1, 0}, {0, -1}}), rows_of({{1}, {2}}));
  EXPECT_EQ(worst(linear.sde().dispersion.diffusion_divergence(x, 0), at::zeros_like(x)), 0);
}

TEST(Divergence, WorksWhileGradientsAreOffAndLeavesNoGraph) {
  const GradientMode off(false);
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(4, 3);
  const Tensor result = sigma.diffusion_divergence(x, 0.7);
  EXPECT_FALSE(result.requires_grad());
  EXPECT_LT(worst(result, divergence_by_differences(sigma, x, 0.7)), 2e-8);
}

TEST(Divergence, CanBeDifferentiatedAgain) {
  const auto sigma = Dispersion::matrix(tall_matrix, 2);
  const Tensor x = points(6, 3);
  const RowFunction divergence = [&](const Tensor& y) { return sigma.diffusion_divergence(y, 0.7); };
  const Tensor exact = jacobian(divergence, x);
  const double h = 1e-5;
  for (int64_t j = 0; j < 3; ++j) {
    const Tensor step = h * unit(3, j);
    EXPECT_LT(worst(exact.select(2, j), (divergence(x + step) - divergence(x - step)) / (2 * h)), 1e-7);
  }
}

TEST(Dispersion, EveryFormIsTheMatrixItStandsFor) {
  const Tensor x = points(5, 3), dB = rng.normal({5, 3}, {.step = 1}, at::kDouble);
  const auto diagonal_function = [](const Tensor& y, double t) { return t + y.exp(); };
  const auto diagonal = Dispersion::diagonal(diagonal_function);
  const auto full = Dispersion::matrix(
      [&](const Tensor& y, double t) { return at::diag_embed(diagonal_function(y, t)); }, 3);
  EXPECT_LT(worst(diagonal.times(x, 0.2, dB), full.times(x, 0.2, dB)), 1e-14);
  EXPECT_LT(worst(diagonal.diffusion(x, 0.2), full.diffusion(x, 0.2)), 1e-13);
  EXPECT_LT(worst(diagonal.diffusion_times(x, 0.2, dB), full.diffusion_times(x, 0.2, dB)), 1e-13);
  EXPECT_LT(worst(diagonal.diffusion_divergence(x, 0.2), full.diffusion_divergence(x, 0.2)), 1e-12);
  const auto scalar = Dispersion::scalar([](double t) { return 3 * t; });
  EXPECT_LT(worst(scalar.times(x, 0.5, dB), 1.5 * dB), 1e-15);
  EXPECT_LT(worst(scalar.diffusion(x, 0.5), 2.25 * at::eye(3, at::kDouble).expand({5, 3, 3})), 1e-15);
  const auto tall = Dispersion::matrix(tall_matrix, 2);
  const Tensor a = tall.diffusion(x, 0.5);
  EXPECT_LT(worst(tall.diffusion_times(x, 0.5, dB), a.matmul(dB.unsqueeze(2)).squeeze(2)), 1e-13);
  EXPECT_LT(worst(a, a.transpose(1, 2)), 1e-15);
  EXPECT_EQ(tall.noise_dimension(3), 2);
  EXPECT_EQ(diagonal.noise_dimension(3), 3);
  EXPECT_EQ(Dispersion().noise_dimension(3), 0);
}

}  // namespace
}  // namespace fokker
