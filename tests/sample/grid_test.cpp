// Time grids, the run through them, and the weights of multistep methods.
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/sample/method/langevin/annealed_langevin.h"
#include "fokker/sample/samplers.h"
#include "fokker/sample/step/weights.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

// numpy's values for 1000 steps taken 10 at a time, as diffusers spaces them.
TEST(TimeGrid, TakesAChainsStepsAsPublished) {
  const GaussianProcess chain = process_of("ddpm");
  const auto indices = [&](const TimeGrid& grid) {
    std::vector<int64_t> result;
    for (size_t i = 0; i + 1 < grid.times().size(); ++i)
      result.push_back(std::llrint(grid.times()[i] * 1000) - 1);
    EXPECT_EQ(grid.times().back(), 0);
    return result;
  };
  EXPECT_EQ(indices(TimeGrid::chain(chain, 5, ChainSpacing::leading)),
            (std::vector<int64_t>{800, 600, 400, 200, 0}));
  EXPECT_EQ(indices(TimeGrid::chain(chain, 5, ChainSpacing::leading, 1)),
            (std::vector<int64_t>{801, 601, 401, 201, 1}));
  EXPECT_EQ(indices(TimeGrid::chain(chain, 5, ChainSpacing::trailing)),
            (std::vector<int64_t>{999, 799, 599, 399, 199}));
  EXPECT_EQ(indices(TimeGrid::chain(chain, 5, ChainSpacing::linspace)),
            (std::vector<int64_t>{999, 749, 500, 250, 0}));
  EXPECT_EQ(TimeGrid::chain(chain, 1000, ChainSpacing::trailing).times(), TimeGrid::uniform(1000).times());
}

// The same of solvers that leave the first step out, of times between steps, and of runs that end at the
// first step: numpy's linspace(0, 999, 6).round()[::-1][:-1] and arange(0, 6) * (1000 // 6).
TEST(TimeGrid, TakesAChainsStepsAsSolversDo) {
  const GaussianProcess chain = process_of("ddpm");
  const auto indices = [&](const char* spec, int64_t steps) {
    const TimeGrid grid = make_grid(spec, chain, steps);
    std::vector<double> result;
    for (const double t : grid.times()) result.push_back(t * 1000 - 1);
    return result;
  };
  const auto expect = [&](const char* spec, int64_t steps, const std::vector<double>& expected) {
    const std::vector<double> found = indices(spec, steps);
    ASSERT_EQ(found.size(), expected.size()) << spec;
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9) << spec << " " << i;
  };
  expect("linspace:open=1", 5, {999, 799, 599, 400, 200, -1});
  expect("leading:open=1,offset=1", 5, {831, 665, 499, 333, 167, -1});
  expect("linspace:rounded=0", 5, {999, 749.25, 499.5, 249.75, 0, -1});
  expect("leading:to=first", 5, {800, 600, 400, 200, 0});
  expect("trailing:to=first", 5, {999, 799, 599, 399, 199, 0});
  expect("leading:offset=1,to=first", 5, {801, 601, 401, 201, 1, 0});
  EXPECT_THROW(make_grid("linspace:open=1,rounded=0", chain, 5), Error);
  EXPECT_THROW(make_grid("trailing:open=1", chain, 5), Error);
}

TEST(Integrate, ShowsWhatIsAskedForAndStopsWhereTold) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = Rng(1).normal({4, 2}, {}, at::kDouble);
  std::vector<int64_t> steps, evaluations;
  std::vector<double> times;
  IntegrateOptions options{
      .observers = {every_steps(3,
                                [&](const Observation& seen) {
                                  steps.push_back(seen.step);
                                  evaluations.push_back(seen.evaluations);
                                }),
                    at_times({0.5}, [&](const Observation& seen) { times.push_back(seen.t); })}};
  const TimeGrid grid = TimeGrid::uniform(8);
  integrate(denoiser, Heun(), grid, x, options);
  EXPECT_EQ(steps, (std::vector<int64_t>{0, 3, 6}));
  EXPECT_EQ(evaluations, (std::vector<int64_t>{0, 6, 12}));
  EXPECT_EQ(times, std::vector<double>{0.5});
  const Integration part =
      integrate(denoiser, Heun(), grid, x,
                {.observers = {}, .stop = [](const Observation& seen) { return seen.t <= 0.5; }});
  EXPECT_EQ(part.evaluations, 8);
  EXPECT_LT(worst(part.x, integrate(denoiser, Heun(), TimeGrid::uniform(4, {.end = 0.5}), x).x), 1e-13);
}

TEST(Weights, IntegratePolynomialsExactly) {
  // A cubic over [0, 1] from four scattered nodes.
  const std::vector<double> nodes = {0, -0.7, -1.9, -2.4}, moments = {1, 1.0 / 2, 1.0 / 3, 1.0 / 4};
  const auto weights = interpolatory_weights(nodes, moments);
  double sum = 0;
  for (size_t j = 0; j < 4; ++j) sum += weights[j] * (1 + nodes[j] * (2 + nodes[j] * (-3 + 4 * nodes[j])));
  EXPECT_NEAR(sum, 1 + 2.0 / 2 - 3.0 / 3 + 4.0 / 4, 1e-12);
  EXPECT_NE(refusal_of([&] { interpolatory_weights({1, 1}, {1, 1}); }).find("distinct"), std::string::npos);
  const GaussRule rule = gauss_legendre(5);
  for (const int degree : {0, 4, 9}) {
    double integral = 0;
    for (size_t i = 0; i < 5; ++i) integral += rule.weights[i] * std::pow(rule.nodes[i], degree);
    EXPECT_NEAR(integral, 1.0 / (degree + 1), 1e-15);
  }
}

// phi_1(z) = (e^z - 1)/z and its successors, where the closed form cancels and where it does not.
TEST(Weights, PhiFunctionsJoinUp) {
  for (int k = 0; k < 4; ++k) {
    EXPECT_NEAR(phi(k, 0), 1 / std::tgamma(k + 1), 1e-16);
    EXPECT_NEAR(phi(k, 1 - 1e-12), phi(k, 1 + 1e-12), 1e-11);
    for (const double z : {-30.0, -0.5, 1e-9, 0.7, 3.0})
      EXPECT_NEAR(z * phi(k + 1, z), phi(k, z) - 1 / std::tgamma(k + 1), 1e-13 * (1 + phi(k, z)))
          << k << " " << z;
  }
}

}  // namespace
}  // namespace fokker
