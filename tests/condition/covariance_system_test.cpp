#include "fokker/condition/method/covariance_system.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker {
namespace {

Tensor normal_matrices(uint64_t seed, int64_t n, int64_t m) {
  return Rng(seed).normal({n, m, m}, {}, at::kDouble) / std::sqrt(static_cast<double>(m));
}

std::function<Tensor(const Tensor&)> products_with(const Tensor& c) {
  return [c](const Tensor& rows) { return c.matmul(rows.unsqueeze(2)).squeeze(2); };
}

/// Hestenes and Stiefel's recursion on (C + ridge I) u = r, no more and no less.
Tensor textbook_conjugate_gradients(const Tensor& c, const Tensor& r, double ridge, int64_t iterations) {
  Tensor u = at::zeros_like(r), residual = r, direction = r;
  for (int64_t i = 0; i < iterations; ++i) {
    const Tensor image = products_with(c)(direction) + ridge * direction;
    const Tensor square = residual.square().sum(1, true);
    const Tensor length = square / (direction * image).sum(1, true);
    u = u + length * direction;
    residual = residual - length * image;
    direction = residual + residual.square().sum(1, true) / square * direction;
  }
  return u;
}

/// |u' - u| S^2 / |r| over `relative`, the largest of all rows, where C is changed by that part of its norm.
double amplification(const std::function<Tensor(const Tensor& c)>& solve, const Tensor& c, const Tensor& r,
                     double ridge, double relative) {
  const Tensor change = normal_matrices(7, c.size(0), c.size(1));
  const Tensor by = change / at::linalg_matrix_norm(change, 2).reshape({-1, 1, 1}) *
                    at::linalg_matrix_norm(c, 2).reshape({-1, 1, 1}) * relative;
  return ((solve(c + by) - solve(c)).norm(2, {1}) / r.norm(2, {1})).max().item<double>() * ridge / relative;
}

// On covariances: conjugate gradients, iteration by iteration, and the solution after m of them.
TEST(CovarianceSystem, IsConjugateGradientsOnCovariances) {
  const int64_t m = 6;
  const Tensor x = normal_matrices(1, 50, m), c = x.matmul(x.transpose(1, 2)) + 0.2 * at::eye(m, at::kDouble),
               r = Rng(2).normal({50, m}, {}, at::kDouble);
  for (const double ridge : {0.0, 0.3})
    for (const int64_t iterations : {1, 2, 4, 6}) {
      const auto found = solve_covariance_system(
          products_with(c), r,
          {.ridge = at::full({m}, ridge, at::kDouble), .iterations = iterations, .tolerance = 0});
      EXPECT_LT(worst(found.solution, textbook_conjugate_gradients(c, r, ridge, iterations)), 1e-9)
          << iterations;
      EXPECT_EQ(found.products, iterations);
    }
}

// More iterations than dimensions cost nothing; a row is left where it is solved, whatever the others need.
TEST(CovarianceSystem, LeavesWhatIsSolved) {
  const Tensor c = at::stack({at::eye(4, at::kDouble), vector_of({1, 2, 3, 4}).diag()});
  const Tensor r = at::ones({2, 4}, at::kDouble);
  const CovarianceSystem system{.ridge = at::full({4}, 0.5, at::kDouble), .iterations = 40};
  const auto both = solve_covariance_system(products_with(c), r, system);
  EXPECT_EQ(both.products, 4);
  EXPECT_LT(worst(both.solution, r / (vector_of({1.5, 1.5, 1.5, 1.5, 1.5, 2.5, 3.5, 4.5}).reshape({2, 4}))),
            1e-12);
  for (const int64_t row : {0, 1}) {
    const auto one = solve_covariance_system(products_with(c.narrow(0, row, 1)), r.narrow(0, row, 1), system);
    EXPECT_EQ(one.products, row == 0 ? 1 : 4);
    EXPECT_LT(worst(one.solution, both.solution.narrow(0, row, 1)), 1e-14) << row;
  }
  const auto nothing = solve_covariance_system(products_with(c), at::zeros_like(r), system);
  EXPECT_EQ(nothing.products, 0);
  EXPECT_EQ(nothing.solution.abs().max().item<double>(), 0);
}

// A network's matrix is not symmetric and may have negative eigenvalues. |u| <= |r| / S^2 and |C u| <= |r|,
// as of every covariance; a change of C by a part d of |C| changes u by no more than 4 d |C| / S^2 of |r| /
// S^2 (of a covariance it is once that), where conjugate gradients have no bound.
TEST(CovarianceSystem, StaysBoundedOnWhatIsNoCovariance) {
  const double ridge = 0.09;
  const Tensor symmetric = normal_matrices(3, 200, 5);
  const Tensor r = Rng(4).normal({200, 5}, {}, at::kDouble);
  for (const double asymmetry : {0.01, 0.1, 1.0, 100.0}) {
    const Tensor c = 10 *
                     (symmetric.matmul(symmetric.transpose(1, 2)) + asymmetry * normal_matrices(5, 200, 5)) /
                     (1 + asymmetry);
    const auto solve = [&](const Tensor& matrix) {
      return solve_covariance_system(products_with(matrix), r, {.ridge = at::full({5}, ridge, at::kDouble)})
          .solution;
    };
    const Tensor u = solve(c), length = r.norm(2, {1});
    EXPECT_LT((u.norm(2, {1}) / length).max().item<double>(), (1 + 1e-12) / ridge) << asymmetry;
    EXPECT_LT((products_with(c)(u).norm(2, {1}) / length).max().item<double>(), 1 + 1e-5) << asymmetry;
    const double condition = at::linalg_matrix_norm(c, 2).max().item<double>() / ridge;
    EXPECT_LT(amplification(solve, c, r, ridge, 1e-7), 4 * condition) << asymmetry;
    if (asymmetry < 1) continue;
    const auto textbook = [&](const Tensor& matrix) {
      return textbook_conjugate_gradients(matrix, r, ridge, 5);
    };
    EXPECT_GT(amplification(textbook, c, r, ridge, 1e-7), 400 * condition) << asymmetry;
  }
}

// (C + R) u = r where R goes over eight powers of ten, solved with as many products as there are rows: what
// bounds C that are no covariance leaves covariances alone.
TEST(CovarianceSystem, TakesARidgeOfEachRow) {
  const Tensor x = normal_matrices(1, 50, 4), c = x.matmul(x.transpose(1, 2)) + 0.2 * at::eye(4, at::kDouble),
               r = Rng(2).normal({50, 4}, {}, at::kDouble), ridge = vector_of({1e-8, 1e-4, 0.1, 1});
  const auto found =
      solve_covariance_system(products_with(c), r, {.ridge = ridge, .iterations = 4, .tolerance = 0});
  EXPECT_LT(worst(found.solution, at::linalg_solve(c + ridge.diag(), r)), 1e-6);
}

// Of what is no covariance |R^1/2 u| and |R^-1/2 C u| stay below |R^-1/2 r|, each row in its own units.
TEST(CovarianceSystem, BoundsEachRowByItsRidge) {
  const Tensor r = Rng(4).normal({200, 5}, {}, at::kDouble), ridge = vector_of({1e-4, 1e-3, 0.01, 0.1, 1}),
               root = ridge.sqrt();
  for (const double asymmetry : {0.1, 1.0, 100.0}) {
    const Tensor symmetric = normal_matrices(3, 200, 5);
    const Tensor c = (symmetric.matmul(symmetric.transpose(1, 2)) + asymmetry * normal_matrices(5, 200, 5)) /
                     (1 + asymmetry);
    const Tensor u = solve_covariance_system(products_with(c), r, {.ridge = ridge}).solution;
    const Tensor length = (r / root).norm(2, {1});
    EXPECT_LT(((u * root).norm(2, {1}) / length).max().item<double>(), 1 + 1e-9) << asymmetry;
    EXPECT_LT(((products_with(c)(u) / root).norm(2, {1}) / length).max().item<double>(), 1 + 1e-9)
        << asymmetry;
  }
}

// Without noise: the eigenvalues that are rounding take no part.
TEST(CovarianceSystem, LeavesRoundingOutWithoutNoise) {
  const Tensor c = vector_of({4, 1, -1e-9}).diag().unsqueeze(0);
  const Tensor r = rows_of({{4, 1, 1e-9}});
  const auto found = solve_covariance_system(
      products_with(c), r,
      {.ridge = at::zeros({3}, at::kDouble), .iterations = 3, .tolerance = 0, .resolution = 1e-7});
  EXPECT_LT(worst(found.solution.narrow(1, 0, 2), rows_of({{1, 1}})), 1e-6);
  EXPECT_LT(std::abs(found.solution[0][2].item<double>()), 1e-2);
}

}  // namespace
}  // namespace fokker
