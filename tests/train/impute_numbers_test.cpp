#include "fokker/train/impute_numbers.h"

#include <gtest/gtest.h>

#include "support.h"

namespace fokker {
namespace {

/// E[x_0 | x_t] of N(0, C) itself, as a network that predicts the data; its time is t.
class ExactNetwork final : public Network {
 public:
  ExactNetwork(GaussianProcess process, Tensor covariance)
      : process_(std::move(process)), covariance_(std::move(covariance)) {
    add_parameter("nothing", at::zeros({1}));
  }
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor&) const override {
    const double t = time.flatten()[0].item<double>(), a = process_.alpha(t), s = process_.sigma(t);
    const Tensor total = a * a * covariance_ + s * s * at::eye(covariance_.size(0), at::kDouble);
    return x.matmul((a * at::linalg_inv(total).matmul(covariance_)).to(x.options()));
  }
  Json config() const override { return {{"_class_name", "exact"}}; }
  std::vector<int64_t> event_shape() const override { return {covariance_.size(0)}; }

 private:
  GaussianProcess process_;
  Tensor covariance_;
};

/// A model of rows in units of their own, correlated as C in the model's space.
Model exact_model(const Tensor& covariance, const Normalisation& units) {
  const GaussianProcess process{VariancePreserving{}};
  return {.network = std::make_shared<ExactNetwork>(process, covariance),
          .spec = {.process = process, .prediction = Prediction::data()},
          .normalisation = units,
          .columns = {"a", "b", "c"},
          .label_names = {}};
}

// The law of what is missing given what is known, in the user's units, of each pattern of gaps.
TEST(ImputeNumbers, DrawsFromTheConditionalLaw) {
  const Tensor covariance = rows_of({{1, 0.8, 0}, {0.8, 1, 0.3}, {0, 0.3, 1}});
  const Tensor data =
      Rng(1).normal({500, 3}, {}, at::kDouble) * vector_of({3, 0.01, 100}) + vector_of({7, 0, 1e3});
  const Normalisation units = Normalisation::fit(data, NormalisationKind::standardise);
  const Model model = exact_model(covariance, units);
  const Tensor origin = units.invert(at::zeros({1, 3}, at::kDouble))[0],
               scale = units.invert(at::ones({1, 3}, at::kDouble))[0] - origin;
  // z_0 = 1.5 is known of row 0, z_1 and z_2 of row 1, nothing of row 2, and all of row 3.
  const Tensor z = rows_of({{1.5, 0, 0}, {0, -1, 0.5}, {0, 0, 0}, {1, 2, 3}});
  const KnownCells rows{origin + z * scale,
                        at::tensor({1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1}).reshape({4, 3}).to(at::kBool)};
  const int64_t draws = 3000;
  const auto method = make_posterior_sampler("mmps:sampler=unipc");
  const Imputation filled = impute_numbers(model, rows, draws, *method, Rng(3), {.steps = 40});
  const Tensor drawn = (filled.cells - origin) / scale;
  const double error = 5 / std::sqrt(static_cast<double>(draws));
  const auto column = [&](int64_t row, int64_t j) { return drawn.select(1, row).select(1, j); };
  EXPECT_LT(worst(column(0, 0), at::full({draws}, 1.5, at::kDouble)), 1e-12) << "as it was";
  EXPECT_NEAR(average(column(0, 1)), 0.8 * 1.5, error);
  EXPECT_NEAR(column(0, 1).std().item<double>(), 0.6, 0.02 + error);
  EXPECT_NEAR(average(column(0, 2)), 0, error);
  // (0.8, 0) C_bc^-1 (-1, 0.5)
  const Tensor gain = at::linalg_solve(covariance.slice(0, 1).slice(1, 1), vector_of({0.8, 0}));
  EXPECT_NEAR(average(column(1, 0)), gain.dot(vector_of({-1, 0.5})).item<double>(), error);
  EXPECT_NEAR(average(column(2, 1)), 0, error);
  EXPECT_NEAR((column(2, 0) * column(2, 1)).mean().item<double>(), 0.8, 0.05 + error);
  EXPECT_LT(worst(filled.cells.select(1, 3), rows.cells[3].expand({draws, 3})), 1e-12);
  // A row's draws depend on its place alone, not on the gaps of others.
  KnownCells other = rows;
  other.known = rows.known.clone();
  other.known[1][1] = false;
  EXPECT_LT(worst(impute_numbers(model, other, 2, *method, Rng(3), {.steps = 10}).cells.select(1, 0),
                  impute_numbers(model, rows, 2, *method, Rng(3), {.steps = 10}).cells.select(1, 0)),
            1e-12);
}

TEST(ImputeNumbers, RefusesWhatItCannotFill) {
  const Model model = exact_model(at::eye(3, at::kDouble), Normalisation::identity({3}));
  const KnownCells rows{at::ones({2, 3}, at::kDouble),
                        at::tensor({1, 0, 0, 1, 1, 1}).reshape({2, 3}).to(at::kBool)};
  EXPECT_THAT([&] { impute_numbers(model, rows, 1, *make_posterior_sampler("tds"), Rng(0)); },
              message("tds: expected noise > 0"));
  EXPECT_THAT([&] { impute_numbers(model, rows, 0, *make_posterior_sampler("ddnm"), Rng(0)); },
              message("expected draws > 0"));
  const KnownCells narrow{at::ones({2, 2}, at::kDouble), at::ones({2, 2}, at::kBool)};
  EXPECT_THAT([&] { impute_numbers(model, narrow, 1, *make_posterior_sampler("ddnm"), Rng(0)); },
              message("expected cells of shape (n, 3)"));
}

}  // namespace
}  // namespace fokker
