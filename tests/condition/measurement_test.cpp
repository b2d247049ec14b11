#include "fokker/condition/measurement.h"

#include <gtest/gtest.h>

#include "fokker/condition/operator/operators.h"
#include "support.h"

namespace fokker {
namespace {

const std::shared_ptr<const LinearOperator> some_matrix =
    std::make_shared<MatrixOperator>(rows_of({{1, 0.5, -1}, {0, 2, 1}}), std::vector<int64_t>{3});

Tensor some_rows(int64_t n, int64_t d, uint64_t seed) {
  return Rng(seed).normal({n, d}, {}, at::kDouble);
}

/// d log p / dx by central differences.
Tensor differences(const Measurement& measurement, const Tensor& x) {
  const double h = 1e-5;
  Tensor result = at::zeros_like(x);
  for (int64_t j = 0; j < x.size(1); ++j) {
    const Tensor step = h * at::eye(x.size(1), at::kDouble)[j];
    result.select(1, j).copy_((measurement.log_likelihood(x + step) - measurement.log_likelihood(x - step)) /
                              (2 * h));
  }
  return result;
}

TEST(Measurement, DifferentiatesEveryLikelihood) {
  const Tensor x = some_rows(4, 3, 1);
  const LinearMeasurement linear(some_matrix, some_rows(4, 2, 2), 0.7);
  const PoissonMeasurement counts(some_matrix, some_rows(4, 2, 3).abs().mul(3).round(),
                                  {.gain = 4, .offset = 1});
  const FunctionMeasurement function([](const Tensor& v) { return v.square().sum(1, true).sin(); }, {3},
                                     some_rows(4, 1, 4), 0.5);
  for (const Measurement* m : std::initializer_list<const Measurement*>{&linear, &counts, &function}) {
    EXPECT_LT(worst(likelihood_gradient(*m, x), differences(*m, x)), 1e-7);
    // Row i of x goes with row i of y.
    const auto swapped = m->select(at::tensor({3, 1}, at::kLong));
    const Tensor rows = x.index_select(0, at::tensor({3, 1}, at::kLong));
    EXPECT_LT(worst(swapped->log_likelihood(rows),
                    m->log_likelihood(x).index_select(0, at::tensor({3, 1}, at::kLong))),
              1e-14);
  }
}

// By a dense normal density; of x_0 ~ N(x, v I), y is N(A x, S^2 I + v A A^T).
TEST(LinearMeasurement, IsANormalDensity) {
  const Tensor y = some_rows(3, 2, 2), x = some_rows(3, 3, 1), a = some_matrix->matrix();
  const LinearMeasurement seen(some_matrix, y, 0.7);
  for (const double v : {0.0, 0.4}) {
    const Tensor covariance = 0.49 * at::eye(2, at::kDouble) + v * a.matmul(a.t());
    const Tensor law =
        GaussianMixture::gaussian(at::zeros({2}, at::kDouble), covariance).log_density(y - x.matmul(a.t()));
    EXPECT_LT(worst(seen.log_likelihood(x, v), law), 1e-12);
  }
}

// The twist of other measurements is flatter where x_0 is less known, and theirs where it is known.
TEST(Measurement, IsFlatterOfWhatIsLessKnown) {
  const Tensor x = some_rows(4, 3, 1);
  const PoissonMeasurement counts(some_matrix, some_rows(4, 2, 3).abs().mul(3).round(),
                                  {.gain = 4, .offset = 1});
  const FunctionMeasurement function([](const Tensor& v) { return 5 * v; }, {3}, some_rows(4, 3, 4), 0.5, 5);
  for (const Measurement* m : std::initializer_list<const Measurement*>{&counts, &function}) {
    const Tensor leaf = x.clone().requires_grad_();
    const Tensor flat = gradients(m->log_likelihood(leaf, 10), {leaf}, false)[0];
    EXPECT_LT(flat.norm().item<double>(), 0.2 * likelihood_gradient(*m, x).norm().item<double>());
    EXPECT_GT((flat * likelihood_gradient(*m, x)).sum().item<double>(), 0) << "of the same direction";
  }
  // f = 5 x with x ~ N(x, v): of variance S^2 + 25 v.
  const auto scaled = std::make_shared<MatrixOperator>(5 * at::eye(3, at::kDouble), std::vector<int64_t>{3});
  EXPECT_LT(worst(function.log_likelihood(x, 0.3),
                  LinearMeasurement(scaled, some_rows(4, 3, 4), 0.5).log_likelihood(x, 0.3)),
            1e-12);
}

// log Poisson(k; rate) at three counts by hand: k log r - r - log k!.
TEST(PoissonMeasurement, CountsPhotons) {
  const auto one = std::make_shared<MatrixOperator>(rows_of({{1}}), std::vector<int64_t>{1});
  const PoissonMeasurement counts(one, rows_of({{0}, {1}, {3}}), {.gain = 10, .offset = 1});
  const Tensor x = rows_of({{-0.9}, {-0.8}, {-0.5}});  // rates 1, 2, 5
  const Tensor expected = vector_of({-1, std::log(2) - 2, 3 * std::log(5) - 5 - std::log(6)});
  EXPECT_LT(worst(counts.log_likelihood(x), expected), 1e-12);
  EXPECT_GT(likelihood_gradient(counts, rows_of({{-3}, {-3}, {-3}}))[2].item<double>(), 0) << "the way back";
  EXPECT_THAT([&] { PoissonMeasurement(one, rows_of({{1.5}}), {}); },
              message("row 0 (from 0): expected counts"));
}

// In a model's units, x = 3 z + 0.5, the counts of A x are those of (A 3) z + A 0.5.
TEST(PoissonMeasurement, CountsTheSameInAModelsUnits) {
  const Tensor data = Rng(1).normal({200, 3}, {}, at::kDouble) * 3 + 5;
  const Normalisation units = Normalisation::fit(data, NormalisationKind::standardise);
  const ModelOperator model = in_model_units(some_matrix, units);
  const Tensor y = some_rows(4, 2, 3).abs().mul(9).round(), x = some_rows(4, 3, 1) * 3 + 5;
  const PoissonMeasurement user(some_matrix, y, {.gain = 4, .offset = 2}),
      own(model.on_model, y, {.gain = 4, .offset = 2, .shift = model.offset});
  const Tensor z = units.apply(x, at::kDouble);
  EXPECT_LT(worst(own.log_likelihood(z), user.log_likelihood(x)), 1e-9);
  EXPECT_LT(worst(own.residual(z), user.residual(x)), 1e-10);
  EXPECT_THAT(
      [&] {
        PoissonMeasurement(some_matrix, y, {.shift = vector_of({1, 2, 3})});
      },
      message("expected a shift of shape (2) but received (3)"));
}

TEST(LinearMeasurement, RefusesWhatCannotBe) {
  const auto twice = std::make_shared<MatrixOperator>(rows_of({{1, 2}, {2, 4}}), std::vector<int64_t>{2});
  LinearMeasurement(twice, rows_of({{1, 2}}), 0);
  EXPECT_THAT(
      [&] {
        LinearMeasurement(twice, rows_of({{1, 2}, {1, 3}}), 0);
      },
      message("row 1 (from 0): without noise, no x gives this measurement by operator matrix, whose rank is "
              "1 of 2"));
  LinearMeasurement(twice, rows_of({{1, 3}}), 0.1);
  EXPECT_THAT(
      [&] {
        LinearMeasurement(twice, rows_of({{1, 2, 3}}), 1);
      },
      message("expected rows of shape (2)"));
  EXPECT_THAT([&] { LinearMeasurement(twice, rows_of({{1, 2}}), -1); }, message("expected noise >= 0"));
  EXPECT_THAT(
      [&] {
        LinearMeasurement(twice, rows_of({{1, 2}, {NAN, 2}}), 1);
      },
      message("row 1 (from 0): the measurement is not finite"));
  const LinearMeasurement exact(twice, rows_of({{1, 2}}), 0);
  EXPECT_THAT([&] { exact.log_likelihood(rows_of({{1, 2}})); }, message("has no density"));
  EXPECT_THAT([&] { exact.log_likelihood(rows_of({{1, 2}}), 0.5); }, message("has rank 1 of 2"));
  EXPECT_THAT([&] { exact.residual(rows_of({{1, 2}, {1, 2}})); }, message("expected 1 events of shape (2)"));
}

TEST(ExactPosterior, IsThatOfEachRow) {
  const GaussianMixture prior(vector_of({0.4, 0.6}), rows_of({{1, 0, 0}, {-1, 2, 1}}), vector_of({0.3, 0.8}));
  const LinearMeasurement seen(some_matrix, some_rows(2, 2, 5), 0.5);
  for (const int64_t row : {0, 1}) {
    const GaussianMixture law = exact_posterior(prior, seen, row);
    // Bayes' rule up to a constant, which log p(y) is.
    const Tensor x = some_rows(6, 3, 6);
    const Tensor y = seen.y()[row].expand({6, 2});
    const Tensor joint = prior.log_density(x) + LinearMeasurement(some_matrix, y, 0.5).log_likelihood(x);
    const Tensor constant = joint - law.log_density(x);
    EXPECT_LT((constant - constant[0]).abs().max().item<double>(), 1e-11);
  }
}

}  // namespace
}  // namespace fokker
