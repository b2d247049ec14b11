// Measured orders of convergence against the declared ones.
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/evaluate/convergence.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

std::string report(const Convergence& convergence) {
  std::string text;
  for (const auto& level : convergence.levels) text += fmt::format(" {}: {:.3e}", level.steps, level.error);
  return text;
}

/// From the middle of the process, where no step is negligible: at high noise D hardly changes, and every
/// method looks better than it is.
TimeGrid middle(int64_t steps) {
  return TimeGrid::uniform(steps, {.start = 0.4, .end = 0.1});
}

class DeterministicOrder : public ::testing::TestWithParam<NamedSampler> {};

// The Gaussian's probability flow is known in closed form.
TEST_P(DeterministicOrder, OnAGaussian) {
  const Sampler& sampler = *GetParam().sampler;
  for (const char* spec : {"vp", "flow"}) {
    const Convergence found = measure_convergence(gaussian_denoiser(spec), sampler, ErrorMeasure::path,
                                                  {.steps = {160, 320}, .grid = middle, .samples = 8});
    EXPECT_NEAR(found.order(), sampler.order().strong, 0.3) << spec << report(found);
  }
}

// The mixture's flow is not linear; its reference is a run of Dormand-Prince at 1e-12.
TEST_P(DeterministicOrder, OnAMixture) {
  const Sampler& sampler = *GetParam().sampler;
  const Convergence found = measure_convergence(mixture_denoiser("sub-vp"), sampler, ErrorMeasure::path,
                                                {.steps = {160, 320}, .grid = middle, .samples = 64});
  EXPECT_NEAR(found.order(), sampler.order().strong, 0.3) << report(found);
}
INSTANTIATE_TEST_SUITE_P(All, DeterministicOrder, ::testing::ValuesIn(deterministic_samplers()));

class StartedLow : public ::testing::TestWithParam<NamedSampler> {};

// Under VE the first step's error is not small beside the others', and shows as the order that is declared.
TEST_P(StartedLow, HasTheOrderOfItsFirstSteps) {
  const Sampler& sampler = *GetParam().sampler;
  const Convergence found =
      measure_convergence(gaussian_denoiser("ve:sigma_max=10"), sampler, ErrorMeasure::path,
                          {.steps = {80, 160}, .grid = middle, .samples = 8});
  EXPECT_NEAR(found.order(), sampler.order().strong, 0.3) << report(found);
}
INSTANTIATE_TEST_SUITE_P(All, StartedLow, ::testing::ValuesIn(started_low()));

class StochasticOrder : public ::testing::TestWithParam<NamedSampler> {
 protected:
  static TimeGrid grid(int64_t steps) { return TimeGrid::uniform(steps, {.start = 0.95, .end = 0.3}); }
};

// A Gaussian stays Gaussian under affine steps: its variance and mean at the end are computed, not sampled.
TEST_P(StochasticOrder, IsWeaklyTheDeclaredOne) {
  const Sampler& sampler = *GetParam().sampler;
  for (const char* spec : {"vp", "sub-vp"})
    for (const auto measure : {ErrorMeasure::mean, ErrorMeasure::covariance}) {
      const Convergence found =
          measure_convergence(gaussian_denoiser(spec), sampler, measure, {.steps = {80, 160}, .grid = grid});
      if (found.levels.back().error < 1e-13) continue;  // exact: the mean of most methods
      EXPECT_NEAR(found.order(), sampler.order().weak, 0.3) << spec << report(found);
    }
}

// Along the same Brownian path as a run of many more steps; the difference is affine, its mean square exact.
TEST_P(StochasticOrder, IsStronglyTheDeclaredOne) {
  const Sampler& sampler = *GetParam().sampler;
  const Convergence found = measure_convergence(gaussian_denoiser("sub-vp"), sampler, ErrorMeasure::strong,
                                                {.steps = {20, 40}, .grid = grid, .reference_steps = 320});
  EXPECT_NEAR(found.order(), sampler.order().strong, 0.3) << report(found);
}

// The mixture's drift is not linear: coupled paths, sampled.
TEST_P(StochasticOrder, IsStronglyTheDeclaredOneOnAMixture) {
  const Sampler& sampler = *GetParam().sampler;
  const Convergence found =
      measure_convergence(mixture_denoiser("vp"), sampler, ErrorMeasure::strong,
                          {.steps = {16, 32}, .grid = grid, .samples = 250, .reference_steps = 256});
  EXPECT_NEAR(found.order(), sampler.order().strong, 0.3) << report(found);
}
INSTANTIATE_TEST_SUITE_P(All, StochasticOrder, ::testing::ValuesIn(stochastic_samplers()));

// Different methods for the reverse SDE find the same path, not only paths of their own.
TEST(StochasticOrders, AreThoseOfOneSolution) {
  const auto grid = [](int64_t steps) { return TimeGrid::uniform(steps, {.start = 0.95, .end = 0.3}); };
  const StochasticHeun reference;
  std::vector<std::shared_ptr<Sampler>> methods = {std::make_shared<EulerMaruyama>(),
                                                   std::make_shared<Ancestral>(), std::make_shared<Ddim>(1.0),
                                                   std::make_shared<DpmPpSde>()};
  for (const auto& method : methods) {
    const Convergence found = measure_convergence(
        gaussian_denoiser("vp"), *method, ErrorMeasure::strong,
        {.steps = {20, 40}, .grid = grid, .reference_steps = 320, .reference = &reference});
    EXPECT_NEAR(found.order(), 1, 0.3) << method->name() << report(found);
  }
}

// W_2 of the law falls with the weak order.
TEST(StochasticOrders, HoldForTheWassersteinDistance) {
  const Convergence found = measure_convergence(
      gaussian_denoiser("vp"), DpmPpSde(), ErrorMeasure::wasserstein,
      {.steps = {80, 160},
       .grid = [](int64_t n) { return TimeGrid::uniform(n, {.start = 0.95, .end = 0.3}); }});
  EXPECT_NEAR(found.order(), 2, 0.3) << report(found);
}

// The weights in print for order 3 halve the curvature of D: a step on a D that is quadratic in lambda shows
// it.
TEST(DpmPp3M, OnlyTheExactWeightsReproduceAParabola) {
  const GaussianProcess vp = process_of("vp");
  const auto lambda = [&](double t) { return 0.5 * vp.log_snr(t); };
  const FunctionDenoiser parabola(
      [&](const Tensor& x, const Times& t) { return at::full_like(x, std::pow(lambda(t.scalar()), 2)); }, vp,
      Prediction::data());
  const TimeGrid grid = TimeGrid::uniform(4, {.start = 0.5, .end = 0.3});
  const Tensor x = at::ones({1, 1}, at::kDouble);
  const auto last_step_error = [&](DpmPp3M::Weights weights) {
    Trajectory states(grid.steps(), x.sizes(), at::kDouble);
    integrate(parabola, DpmPp3M({.weights = weights}), grid, x, {.observers = {states.observer()}});
    const double t = grid.times()[3], s = grid.times()[4];
    // x_s/sigma_s - x_t/sigma_t = int e^lambda lambda^2 dlambda = [e^l (l^2 - 2 l + 2)].
    const auto primitive = [&](double u) {
      return std::exp(lambda(u)) * (std::pow(lambda(u), 2) - 2 * lambda(u) + 2);
    };
    const double exact =
        vp.sigma(s) * (states.states()[3].item<double>() / vp.sigma(t) + primitive(s) - primitive(t));
    return std::abs(states.states()[4].item<double>() - exact);
  };
  EXPECT_LT(last_step_error(DpmPp3M::Weights::exact), 1e-13);
  EXPECT_GT(last_step_error(DpmPp3M::Weights::published), 1e-4);
}

class Reversal : public ::testing::TestWithParam<NamedSampler> {};

// To noise and back: what is left of the difference is the method's error, of its order.
TEST_P(Reversal, ReturnsToItsStartAtTheOrder) {
  const Sampler& sampler = *GetParam().sampler;
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const Tensor x = denoiser.marginal(0.1).sample(16, Rng(1));
  std::vector<double> errors;
  for (const int64_t steps : {80, 160}) {
    const Tensor noise = integrate(denoiser, sampler, middle(steps).reversed(), x).x;
    errors.push_back(worst(integrate(denoiser, sampler, middle(steps), noise).x, x));
  }
  // A symmetric part of the error cancels between the two ways, so that some return more closely.
  EXPECT_GT(std::log2(errors[0] / errors[1]), sampler.order().strong - 0.3) << errors[0] << " " << errors[1];
  EXPECT_LT(errors[1], 0.05);
}
INSTANTIATE_TEST_SUITE_P(All, Reversal, ::testing::ValuesIn(deterministic_samplers()));

}  // namespace
}  // namespace fokker
