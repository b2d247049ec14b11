#include "fokker/objective/chain.h"

#include <gtest/gtest.h>

#include <numbers>

#include "mixture_data.h"

namespace fokker {
namespace {

ChainObjective chain(ChainObjective::Form form, int64_t steps = 0) {
  return ChainObjective({.form = form, .steps = steps});
}

// S1 step 3: the squared gap of means is beta^2/((1 - beta)(1 - alphabar)) |eps - eps_theta|^2, row by row.
TEST(ChainObjective, MeanMatchingIsTheWeightedNoiseLoss) {
  const GaussianProcess ddpm = process("ddpm");
  const AnalyticDenoiser exact(mixture(), ddpm);
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.5, at::kDouble));
  const Batch batch = batch_of(mixture(), 8);
  const Tensor steps = vector_of({1, 2, 3, 10, 100, 500, 999, 1000});
  const Tensor means = chain(ChainObjective::Form::mean_matching).loss_at(model, batch, steps, Rng(3));
  const Tensor weighted = chain(ChainObjective::Form::weighted_noise).loss_at(model, batch, steps, Rng(3));
  const Tensor simple = chain(ChainObjective::Form::simple).loss_at(model, batch, steps, Rng(3));
  EXPECT_LT(((means - weighted) / weighted).abs().max().item<double>(), 1e-9);
  double alpha_bar = 1;
  for (int64_t i = 1, row = 0; i <= 1000; ++i) {
    const double beta = 1e-4 + (0.02 - 1e-4) * static_cast<double>(i - 1) / 999;
    alpha_bar *= 1 - beta;
    if (i != static_cast<int64_t>(steps[row].item<double>())) continue;
    const double factor = 1000 * beta / (2 * (1 - beta) * (1 - alpha_bar));
    EXPECT_NEAR(weighted[row].item<double>() / simple[row].item<double>() / factor, 1, 1e-9) << i;
    ++row;
  }
}

// S1 steps 1 and 2: integrating x_{t-1} out of the path likelihood leaves mean matching and a constant.
TEST(ChainObjective, PathLikelihoodIsMeanMatchingPlusAConstant) {
  const int64_t n = 10, copies = 20'000, i = 4;
  const GaussianProcess vp = process("vp");
  const AnalyticDenoiser exact(mixture(), vp);
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.3, at::kDouble));
  const Batch batch = batch_of(mixture(), copies);
  const Tensor steps = at::full({copies}, static_cast<double>(i), at::kDouble);
  const Tensor path = chain(ChainObjective::Form::path_likelihood, n).loss_at(model, batch, steps, Rng(3));
  const Tensor means = chain(ChainObjective::Form::mean_matching, n).loss_at(model, batch, steps, Rng(3));
  const double beta = vp.transition(0.3, 0.4).variance, tilde = vp.posterior(0.3, 0.4).variance;
  // Per dimension: N (log sqrt(2 pi beta) + beta-tilde/(2 beta)), and -log p(x_T) of N(0, 1).
  const double a = vp.alpha(1), s = vp.sigma(1), tau = 2 * std::numbers::pi;
  const Tensor prior = (a * a * batch.x0.square() + s * s).sum(1) / 4 + 0.5 * std::log(tau);
  const double constant = 10 * (0.5 * std::log(tau * beta) + tilde / (2 * beta));
  const Tensor gap = path - means - prior;
  EXPECT_NEAR(average(gap), constant, four_errors(gap));
}

TEST(ChainObjective, AveragesOverItsSteps) {
  const AnalyticDenoiser exact(mixture(), process("vp"));
  const FunctionDenoiser model = perturbed(exact, at::full({1}, 0.3, at::kDouble));
  for (const auto form : {ChainObjective::Form::mean_matching, ChainObjective::Form::simple}) {
    const ChainObjective objective = chain(form, 8);
    const Batch batch = batch_of(mixture(), 80'000);
    double sum = 0, error = 0;
    for (int64_t i = 1; i <= 8; ++i) {
      const Tensor one =
          objective.loss_at(model, batch, at::full({80'000}, static_cast<double>(i), at::kDouble), Rng(4));
      sum += average(one) / 8;
      error += four_errors(one) / 8;
    }
    const Tensor random = objective.loss(model, batch, Rng(5));
    EXPECT_NEAR(average(random), sum, error + four_errors(random));
  }
}

}  // namespace
}  // namespace fokker
