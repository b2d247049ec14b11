#include "fokker/evaluate/likelihood.h"

#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/denoise/analytic.h"
#include "fokker/target/toys.h"
#include "support.h"

namespace fokker {
namespace {

const LikelihoodOptions tight{.tolerance = {.rtol = 1e-6, .atol = 1e-6}};

std::vector<GaussianProcess> processes() {
  return {GaussianProcess(VariancePreserving{}), GaussianProcess(SubVariancePreserving{}),
          GaussianProcess(VarianceExploding{}), GaussianProcess(Flow{}), GaussianProcess(Edm{})};
}

/// Three components with full covariances.
GaussianMixture mixture_of(int64_t d) {
  const Rng rng(static_cast<uint64_t>(d));
  std::vector<Tensor> covariances;
  for (uint64_t k = 0; k < 3; ++k) {
    const Tensor b = rng.stream(k).normal({d, d}, {}, at::kDouble) / std::sqrt(static_cast<double>(d));
    covariances.push_back(b.matmul(b.t()) + 0.2 * at::eye(d, at::kDouble));
  }
  return GaussianMixture(vector_of({1, 2, 3}), 2 * rng.stream("means").normal({3, d}, {}, at::kDouble),
                         at::stack(covariances));
}

TEST(LikelihoodTest, OfExactDenoisersIsTheClosedForm) {
  for (const int64_t d : {1, 2, 16})
    for (const GaussianProcess& process : processes()) {
      const AnalyticDenoiser denoiser(mixture_of(d), process);
      const Tensor x = denoiser.target().sample(8, Rng(1));
      const Likelihood found = log_likelihood(denoiser, x, tight, Rng(2));
      EXPECT_LT(worst(found.log_density, denoiser.target().log_density(x)), 1e-4)
          << d << " " << process.schedule()->config().dump();
      EXPECT_EQ(found.probe_error.abs().max().item<double>(), 0);
    }
}

TEST(LikelihoodTest, HutchinsonIsUnbiasedWithItsOwnError) {
  const AnalyticDenoiser denoiser(mixture_of(16), GaussianProcess(VariancePreserving{}));
  const Tensor x = denoiser.target().sample(20, Rng(1));
  for (const ProbeLaw law : {ProbeLaw::rademacher, ProbeLaw::gaussian}) {
    LikelihoodOptions options{.divergence = FlowDivergence::hutchinson, .probe_law = law, .probes = 8};
    const Likelihood found = log_likelihood(denoiser, x, options, Rng(2));
    const Tensor error = found.log_density - denoiser.target().log_density(x);
    EXPECT_GT(found.probe_error.min().item<double>(), 0);
    // Rows of t(7)-distributed errors: each square has the mean 7/5 and a deviation of about 3.
    const double square = (error / found.probe_error).square().mean().item<double>();
    EXPECT_LT(square, 4.0);
    EXPECT_GT(square, 0.5);
    const double mean_error = found.probe_error.square().sum().sqrt().item<double>() / 20;
    EXPECT_LT(std::abs(error.mean().item<double>()), 4 * mean_error);
  }
}

/// A network's view of N(0, I): the exact denoiser behind a function, so that the prior and time_min are
/// used.
TEST(LikelihoodTest, OfAFunctionUsesThePriorAndStartsAtTimeMin) {
  const GaussianProcess process(VariancePreserving{});
  const AnalyticDenoiser exact(GaussianMixture::standard_normal(2), process);
  const FunctionDenoiser function(
      [&](const Tensor& x, const Times& t) { return exact.estimate(x, t).noise(); }, process,
      Prediction::noise());
  const Tensor x = Rng(3).normal({10, 2}, {}, at::kDouble);
  const Likelihood found = log_likelihood(function, x, tight, Rng(2));
  EXPECT_FALSE(found.prior_mismatch.defined());
  // Everything is N(0, I) all the way; z_0 = x cos(phi_0) with phi_0 near 0.005 is all that differs.
  EXPECT_LT(worst(found.log_density, exact.target().log_density(x)), 1e-4);
}

/// The prior N(0, I) of a process that stops early is not p_1: the mismatch is the log ratio, by hand.
TEST(LikelihoodTest, ReportsThePriorsMismatch) {
  const GaussianProcess process(VariancePreserving{.beta_min = 0.5, .beta_max = 0.5});
  const AnalyticDenoiser denoiser(GaussianMixture::gaussian(vector_of({0.0}), at::full({}, 4.0, at::kDouble)),
                                  process);
  const Likelihood found = log_likelihood(denoiser, vector_of({0.0}).reshape({1, 1}), tight, Rng(0));
  const double a2 = std::exp(-0.5), v = 4 * a2 + 1 - a2;
  EXPECT_NEAR(found.prior_mismatch.item<double>(), 0.5 * std::log(v), 1e-5);
  EXPECT_NEAR(found.log_density.item<double>(), -0.5 * std::log(2 * M_PI * 4), 1e-5);
}

TEST(LikelihoodTest, DoesNotDependOnTheBlocks) {
  const AnalyticDenoiser denoiser(mixture_of(3), GaussianProcess(VariancePreserving{}));
  const Tensor x = denoiser.target().sample(7, Rng(1));
  LikelihoodOptions options{.divergence = FlowDivergence::hutchinson, .probes = 2};
  const Tensor whole = log_likelihood(denoiser, x, options, Rng(4)).log_density;
  options.block = 3;
  EXPECT_LT(worst(whole, log_likelihood(denoiser, x, options, Rng(4)).log_density), 1e-4);
  options.probes = 0;
  EXPECT_THROW(log_likelihood(denoiser, x, options, Rng(4)), Error);
}

/// A network's view of N(0, I) in float32, whose squares overflow far away.
FunctionDenoiser overflowing(const GaussianProcess& process) {
  return FunctionDenoiser(
      [](const Tensor& x, const Times&) {
        const Tensor size = 1 + x.square();
        return 0.5 * x * (size / size);
      },
      process, Prediction::noise());
}

TEST(LikelihoodTest, NamesTheRowThatIsTooFarAway) {
  const GaussianProcess process(VariancePreserving{});
  const FunctionDenoiser function = overflowing(process);
  const AnalyticDenoiser exact(mixture_of(2), process);
  for (const double far : {1e25, 1e200}) {
    Tensor x = Rng(3).normal({10, 2}, {}, at::kDouble);
    x[5][1] = far;
    const auto row_of = [&](const Denoiser& denoiser, at::ScalarType type) {
      LikelihoodOptions options = tight;
      options.block = 4;
      options.type = type;
      try {
        log_likelihood(denoiser, x, options, Rng(2));
      } catch (const RowError& error) {
        return error.row();
      }
      return int64_t{-1};
    };
    EXPECT_EQ(row_of(function, at::kFloat), 5) << far;
    if (far > 1e100) {
      EXPECT_EQ(row_of(exact, at::kDouble), 5);
    }
  }
}

// A row that is far away, but has an answer, does not change those of the others.
TEST(LikelihoodTest, AFarRowDoesNotSpoilTheOthers) {
  const AnalyticDenoiser denoiser(mixture_of(2), GaussianProcess(VariancePreserving{}));
  Tensor x = denoiser.target().sample(12, Rng(1));
  const Tensor before = denoiser.target().log_density(x);
  x[7] = 3e5;
  const Tensor exact = denoiser.target().log_density(x),
               found = log_likelihood(denoiser, x, tight, Rng(2)).log_density;
  EXPECT_LT(worst(found.slice(0, 0, 7), before.slice(0, 0, 7)), 1e-4);
  EXPECT_LT(worst(found.slice(0, 8), before.slice(0, 8)), 1e-4);
  EXPECT_NEAR(found[7].item<double>() / exact[7].item<double>(), 1, 1e-4);
}

}  // namespace
}  // namespace fokker
