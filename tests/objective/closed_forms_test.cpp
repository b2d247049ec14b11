// Objectives where every number is known: one point of data, and a denoiser that knows how far it is off.
#include <gtest/gtest.h>

#include <numbers>

#include "fokker/objective/chain.h"
#include "fokker/objective/elbo.h"
#include "support.h"

namespace fokker {
namespace {

const Tensor& point() {
  static const Tensor value = rows_of({{0.7, -1.2}});
  return value;
}

/// Says `point` + error eps, for data that is the point.
FunctionDenoiser off_by(double error, const GaussianProcess& process) {
  return FunctionDenoiser(
      [=](const Tensor& x, const Times& t) {
        const Tensor eps = (x - point() * process.alpha(t.scalar())) / process.sigma(t.scalar());
        return point() + error * eps;
      },
      process, Prediction::data());
}

// A chain of one step: -log p(x_0 | x_1) = log(2 pi sigma_1^2)/2 in each dimension at the point itself, and
// -E log p(x_1 | x_0) = (alpha_1^2 x_0^2 + sigma_1^2)/(2 v) + log(2 pi v)/2 for the prior N(0, v).
TEST(ChainObjective, OfOneStepIsInClosedForm) {
  for (const char* spec : {"vp:beta_max=2", "sub-vp:beta_max=2", "brownian:sigma=1.5"}) {
    const GaussianProcess process{make_schedule(spec)};
    const double a = process.alpha(1), s = process.sigma(1), v = a * a + s * s;
    const double expected = 0.5 * std::log(2 * std::numbers::pi * s * s) +
                            (a * a * average(point().square()) + s * s) / (2 * v) +
                            0.5 * std::log(2 * std::numbers::pi * v);
    const FunctionDenoiser knows([](const Tensor& x, const Times&) { return point().expand_as(x); }, process,
                                 Prediction::data());
    const ChainObjective objective({.form = ChainObjective::Form::path_likelihood, .steps = 1});
    const Tensor loss = objective.loss(knows, {.x0 = point().repeat({3, 1}), .label = {}}, Rng(1));
    EXPECT_LT(worst(loss, at::full({3}, expected, at::kDouble)), 1e-9) << spec;
  }
}

// A chain of one step has no divergence between steps; its bound is the reconstruction and the prior term.
TEST(Elbo, OfOneStepHasNoDivergences) {
  const GaussianProcess vp{VariancePreserving{}};
  const ElboTerms terms = elbo_terms(off_by(0.1, vp), point().repeat({5, 1}), {.steps = 1}, Rng(1));
  EXPECT_EQ(terms.times, std::vector<double>{1});
  EXPECT_EQ(terms.divergences.sizes(), IntArrayRef({0, 5}));
  EXPECT_LT(worst(terms.bound(), -(terms.reconstruction + terms.prior)), 1e-12);
}

// Where the squared error is k |eps|^2, its control variate takes all variance away but that of the factor,
// which is known to a relative error of sqrt(8/n) in two dimensions (|eps|^2 has kurtosis 9): four of those.
TEST(Elbo, TakesAwayTheVarianceOfTheNoise) {
  const GaussianProcess vp{VariancePreserving{}};
  const int64_t n = 40'000;
  const double k = 0.25;
  const Tensor x0 = point().repeat({n, 1});
  const ElboTerms terms = elbo_terms(off_by(std::sqrt(k), vp), x0, {.steps = 4}, Rng(1));
  for (size_t i = 0; i < terms.times.size(); ++i) {
    const ElboTerm term = elbo_term(vp, terms.times, i, ElboOptions::Variance::transition);
    const Tensor values = i == 0 ? terms.reconstruction : terms.divergences[static_cast<int64_t>(i) - 1];
    const double plain = 2 * 2 * std::pow(k * term.error, 2);  // Var |eps|^2 = 2 d
    EXPECT_LT(values.var().item<double>() / plain, 16 * 8.0 / static_cast<double>(n)) << i;
    EXPECT_NEAR(average(values), 2 * (k * term.error + term.constant),
                4 * std::sqrt(plain / static_cast<double>(n)))
        << i;
  }
}

}  // namespace
}  // namespace fokker
