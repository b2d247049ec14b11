#include "fokker/denoise/regressed.h"

#include "fokker/denoise/analytic.h"
#include "support.h"

namespace fokker {
namespace {

const Tensor slopes = rows_of({{0.5, -2.0, 1.0}, {1.5, 0.0, -0.25}});
const Tensor given = rows_of({{0.3, -0.2, 4.0}, {1.0, 1.0, -1.0}, {-7.0, 0.5, 0.0}});

GaussianMixture residual_law() {
  return GaussianMixture(at::tensor({0.3, 0.7}, at::kDouble), rows_of({{-0.4, 0.2}, {0.5, 0.1}}),
                         at::scalar_tensor(0.3, at::kDouble));
}

/// The law of B c + r for one c.
GaussianMixture law_given(const Tensor& c) {
  return GaussianMixture(at::tensor({0.3, 0.7}, at::kDouble),
                         rows_of({{-0.4, 0.2}, {0.5, 0.1}}) + at::matmul(slopes, c),
                         at::scalar_tensor(0.3, at::kDouble));
}

/// Another denoiser, as one of another prediction.
class SaidAs final : public Denoiser {
 public:
  SaidAs(std::shared_ptr<const Denoiser> inner, Prediction prediction)
      : inner_(std::move(inner)), prediction_(prediction) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor&) const override {
    return inner_->estimate(x, t).as(prediction_);
  }
  const GaussianProcess& process() const override { return inner_->process(); }

 private:
  std::shared_ptr<const Denoiser> inner_;
  Prediction prediction_;
};

// x_0 = B c + r, r apart from c: over r's exact denoiser it is that of p(x_0 | c), whatever is predicted.
TEST(RegressedDenoiser, IsTheDenoiserOfTheConditionalLaw) {
  const Tensor x = rows_of({{0.7, -1.0}, {2.0, 0.4}, {-3.0, 1.0}});
  for (const GaussianProcess& process :
       {GaussianProcess(VariancePreserving{}), GaussianProcess(VarianceExploding{}), GaussianProcess(Flow{})})
    for (const std::string& name : Prediction::names()) {
      const auto residual = std::make_shared<AnalyticDenoiser>(residual_law(), process);
      const RegressedDenoiser denoiser(std::make_shared<SaidAs>(residual, Prediction::from_name(name)),
                                       slopes);
      for (const double t : {0.1, 0.5, 0.9}) {
        const Estimate all = denoiser.estimate(x, t, given);
        for (int64_t i = 0; i < 3; ++i) {
          const AnalyticDenoiser exact(law_given(given[i]), process);
          const Estimate one = exact.estimate(x.narrow(0, i, 1), t);
          EXPECT_LT(worst(all.denoised()[i], one.denoised()[0]), 1e-9) << name << " at " << t;
          EXPECT_LT(worst(all.score()[i], one.score()[0]), 1e-7) << name << " at " << t;
        }
      }
    }
}

TEST(RegressedDenoiser, LeavesRowsWithoutConditionAlone) {
  const auto inner = std::make_shared<AnalyticDenoiser>(residual_law(), VariancePreserving{});
  const RegressedDenoiser denoiser(inner, slopes);
  const Tensor x = rows_of({{0.7, -1.0}, {2.0, 0.4}, {-3.0, 1.0}});
  const Times t(at::tensor({0.2, 0.5, 0.9}, at::kDouble));
  Tensor some = given.clone();
  some[1].fill_(std::numeric_limits<double>::quiet_NaN());
  const Tensor plain = inner->estimate(x, t).value(), mixed = denoiser.estimate(x, t, some).value();
  EXPECT_LT(worst(mixed[1], plain[1]), 1e-15);
  EXPECT_GT(worst(mixed[0], plain[0]), 0.01);
  EXPECT_TRUE(at::equal(denoiser.estimate(x, t).value(), plain));
  const Tensor alone =
      denoiser.estimate(x.narrow(0, 2, 1), at::tensor({0.9}, at::kDouble), some.narrow(0, 2, 1)).value();
  EXPECT_TRUE(at::equal(alone[0], mixed[2])) << "a row does not depend on the others";
}

// (C'C + I) B' = C'X: the gradient of |X - C B'|^2 + |B|^2 is zero there.
TEST(Regression, MinimisesItsSquares) {
  const Tensor c = Rng(3).normal({40, 3}).to(at::kDouble), x = Rng(4).normal({40, 2}).to(at::kDouble);
  const Tensor b = regression(x, c);
  EXPECT_LT(worst(at::matmul((x - at::matmul(c, b.t())).t(), c), b), 1e-10);
  const Tensor many = Rng(5).normal({20000, 3}).to(at::kDouble);
  EXPECT_LT(worst(regression(at::matmul(many, slopes.t()), many), slopes), 2e-4);
}

TEST(RegressedDenoiser, RefusesWhatDoesNotFit) {
  const auto inner = std::make_shared<AnalyticDenoiser>(residual_law(), VariancePreserving{});
  EXPECT_THAT([&] { RegressedDenoiser(inner, at::ones({3})); }, message("expected coefficients (d, k)"));
  EXPECT_THAT(
      [&] {
        RegressedDenoiser(inner, slopes).estimate(at::zeros({3, 2}), 0.5, at::ones({3, 2}));
      },
      message("expected rows of 2 numbers with conditions of 3"));
  EXPECT_THAT([&] { regression(at::ones({4, 2}), at::ones({3, 2})); }, message("expected rows (n, d)"));
}

}  // namespace
}  // namespace fokker
