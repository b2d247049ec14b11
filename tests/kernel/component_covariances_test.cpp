// The kernel for components with covariances of their own, against their definition in tensor operations.
#include "fokker/kernel/mixture/component_covariances.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"

namespace fokker::kernel {
namespace {

struct CovarianceProblem {
  ComponentCovariances mixture;
  Tensor gains, data_means;
};

CovarianceProblem covariance_problem(int64_t k, int64_t d, bool axes) {
  const Rng rng(1);
  const auto normal = [&](const char* name, IntArrayRef shape) {
    return rng.stream(name).normal(shape, {}, at::kDouble);
  };
  CovarianceProblem problem{
      {normal("means", {k, d}), (0.7 * normal("precisions", {k, d})).exp(), normal("logits", {k}), {}},
      normal("gains", {k, d}),
      normal("data", {k, d})};
  if (axes) problem.mixture.axes = normal("axes", {k, d, d});
  return problem;
}

/// The same by the formulas of ComponentMoments, with every (n, k, d) tensor kept.
ComponentMoments component_moments_plain(const CovarianceProblem& problem, const Tensor& x) {
  const ComponentCovariances& m = problem.mixture;
  const auto along = [&](const Tensor& r) {  // (n, k, d)
    return m.axes.defined() ? at::einsum("nki,kij->nkj", {r, m.axes}) : r;
  };
  const auto back = [&](const Tensor& r) {
    return m.axes.defined() ? at::einsum("nkj,kij->nki", {r, m.axes}) : r;
  };
  const Tensor r = along(x.unsqueeze(1) - m.means);
  const Tensor logits = m.logits - 0.5 * (r.square() * m.precisions).sum(2);
  const Tensor weight = logits.softmax(1).unsqueeze(2);
  return {logits.logsumexp(1), (weight * back(r * m.precisions)).sum(1),
          (weight * back(r * problem.gains)).sum(1), (weight * problem.data_means).sum(1)};
}

TEST(ComponentCovariances, AgreesWithPlainTensors) {
  for (const bool axes : {false, true})
    for (const int64_t d : {1, 2, 3, 8})
      for (const int64_t k : {1, 5, 16, 333})
        for (const double spread : {1.0, 20.0}) {
          const CovarianceProblem problem = covariance_problem(k, d, axes);
          const Tensor x = spread * Rng(2).normal({30, d}, {}, at::kDouble);
          const ComponentMoments fast =
                                     component_moments(problem.mixture, problem.gains, problem.data_means, x),
                                 plain = component_moments_plain(problem, x);
          const auto gap = [](const Tensor& a, const Tensor& b) {
            return ((a - b).abs() / (1 + b.abs())).max().item<double>();
          };
          // Each logit is rounded as the sum of squares that it is: up to some 1e4 where points are far.
          const double tolerance = 1e-11 * spread;
          EXPECT_LT(gap(fast.log_total, plain.log_total), tolerance) << d << " dimensions, " << k;
          EXPECT_LT(gap(fast.weighted_residual, plain.weighted_residual), tolerance)
              << d << " dimensions, " << k << " components";
          EXPECT_LT(gap(fast.explained, plain.explained), tolerance) << d << " dimensions, " << k;
          EXPECT_LT(gap(fast.mean, plain.mean), tolerance) << d << " dimensions, " << k << " components";
        }
}

TEST(ComponentCovariances, ARowThatIsNotFiniteIsNotANumber) {
  const CovarianceProblem problem = covariance_problem(20, 2, false);
  Tensor x = Rng(2).normal({3, 2}, {}, at::kDouble);
  x[1][0] = HUGE_VAL;
  const ComponentMoments moments = component_moments(problem.mixture, problem.gains, problem.data_means, x);
  for (const Tensor& value : {moments.weighted_residual, moments.explained, moments.mean}) {
    EXPECT_TRUE(value[1].isnan().all().item<bool>());
    EXPECT_TRUE(value[0].isfinite().all().item<bool>() && value[2].isfinite().all().item<bool>());
  }
}

// Where no component has a density that is a number there is nothing to average: not the mean of all.
TEST(ComponentCovariances, WithoutAnyDensityThereIsNoAnswer) {
  CovarianceProblem problem = covariance_problem(20, 2, false);
  Tensor x = Rng(2).normal({3, 2}, {}, at::kDouble);
  x[1] *= 1e180;
  const auto expect_none = [&](int64_t row) {
    const ComponentMoments moments = component_moments(problem.mixture, problem.gains, problem.data_means, x);
    for (const Tensor& value : {moments.weighted_residual, moments.explained, moments.mean})
      EXPECT_TRUE(value[row].isnan().all().item<bool>());
    EXPECT_FALSE(std::isfinite(moments.log_total[row].item<double>()));
  };
  expect_none(1);
  problem.mixture.logits.fill_(-HUGE_VAL);
  expect_none(0);
}

TEST(ComponentCovariances, ComponentsWithoutWeightDoNotCount) {
  CovarianceProblem problem = covariance_problem(33, 2, false);
  const Tensor x = Rng(2).normal({9, 2}, {}, at::kDouble), kept = at::arange(1, 33, 2, at::kLong);
  CovarianceProblem without = problem;
  for (Tensor* t : {&without.mixture.means, &without.mixture.precisions, &without.mixture.logits,
                    &without.gains, &without.data_means})
    *t = t->index_select(0, kept);
  problem.mixture.logits =
      problem.mixture.logits.masked_fill((at::arange(33, at::kLong) % 2).eq(0), -HUGE_VAL);
  const ComponentMoments all = component_moments(problem.mixture, problem.gains, problem.data_means, x),
                         some = component_moments(without.mixture, without.gains, without.data_means, x);
  EXPECT_LT((all.weighted_residual - some.weighted_residual).abs().max().item<double>(), 1e-12);
  EXPECT_LT((all.log_total - some.log_total).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace fokker::kernel
