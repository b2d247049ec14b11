#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fokker/core/error.h"
#include "fokker/core/stop.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/learned.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ancestral.h"
#include "fokker/sample/method/ancestral/ddim.h"
#include "fokker/sample/method/ode/dopri5.h"
#include "fokker/sample/method/ode/probability_flow.h"
#include "fokker/sample/method/sde/adaptive_sde.h"
#include "fokker/sample/method/sde/euler_maruyama.h"
#include "support.h"

namespace fokker {
namespace {

constexpr double mean = 0.8, deviation = 0.4;

GaussianProcess process(const char* spec) {
  return GaussianProcess(make_schedule(spec));
}

AnalyticDenoiser gaussian(const GaussianProcess& p) {
  return AnalyticDenoiser(GaussianMixture::gaussian(at::full({1}, mean, at::kDouble),
                                                    at::full({1}, deviation * deviation, at::kDouble)),
                          p);
}

GaussianMixture two_modes() {
  return GaussianMixture(vector_of({0.2, 0.8}), rows_of({{-1.0, 0.0}, {1.0, 0.5}}), vector_of({0.1, 0.2}));
}

// S1 chooses beta_t as the reverse variance, DDPM also beta-tilde; the last step must add no noise.
TEST(Ancestral, AddsTheChosenVarianceAndNoneAtTheEnd) {
  const GaussianProcess chain = process("ddpm");
  const AnalyticDenoiser denoiser = gaussian(chain);
  const Tensor x = at::zeros({1, 1}, at::kDouble);
  const auto spread = [&](Ancestral::Variance variance, double t, double s) {
    const auto at_noise = [&](double z) {
      std::any history;
      StepContext context{t, s, [z](uint32_t) { return at::full({1, 1}, z, at::kDouble); }, history};
      return Ancestral(variance).step(denoiser, x, context).x.item<double>();
    };
    return at_noise(1) - at_noise(0);
  };
  const double beta = 1e-4 + (0.02 - 1e-4) * 499 / 999.0;
  const double bar = std::pow(chain.alpha(0.5), 2), before = std::pow(chain.alpha(0.499), 2);
  EXPECT_NEAR(spread(Ancestral::Variance::transition, 0.5, 0.499), std::sqrt(beta), 1e-10);
  EXPECT_NEAR(spread(Ancestral::Variance::posterior, 0.5, 0.499), std::sqrt(beta * (1 - before) / (1 - bar)),
              1e-10);
  EXPECT_EQ(spread(Ancestral::Variance::transition, 0.001, 0), 0);
}

TEST(EulerMaruyama, SaysWhereTheFlowsSdeIsSingular) {
  const AnalyticDenoiser denoiser(two_modes(), process("flow"));
  const IntegrateOptions options{.noise = Rng(2).noise_source(at::kDouble), .observers = {}};
  try {
    integrate(denoiser, EulerMaruyama(), TimeGrid::uniform(10), at::zeros({1, 2}, at::kDouble), options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("start at t <= 0.999"), std::string::npos);
  }
}

// The law of the reverse SDE at t = 0 is the target: weights, means and variances of two modes.
TEST(EulerMaruyama, FindsTheWeightsOfTwoModes) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  const int64_t n = 20'000;
  const Tensor x = generate(denoiser, EulerMaruyama(), TimeGrid::uniform(200), {n, 2}, Rng(3), at::kDouble).x;
  const Tensor first = x.select(1, 0) < 0;
  // Components overlap a little: what counts is the exact probability of x_0 < 0.
  const double expected =
      0.2 * 0.5 * std::erfc(-1 / std::sqrt(0.2)) + 0.8 * 0.5 * std::erfc(1 / std::sqrt(0.4));
  EXPECT_NEAR(first.to(at::kDouble).mean().item<double>(), expected, 4.5 * std::sqrt(0.16 / n) + 0.003);
}

TEST(Integrate, DoesNotDependOnTheSplitIntoBlocks) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  const TimeGrid grid = TimeGrid::uniform(10);
  const Rng rng(7);
  IntegrateOptions small{.block = 3, .observers = {}};
  const Tensor whole = generate(denoiser, Ancestral(), grid, {20, 2}, rng, at::kDouble).x;
  EXPECT_LT(worst(generate(denoiser, Ancestral(), grid, {20, 2}, rng, at::kDouble, small).x, whole), 1e-12);
  EXPECT_LT(worst(generate(denoiser, Ancestral(), grid, {5, 2}, rng, at::kDouble).x, whole.narrow(0, 0, 5)),
            1e-12);
  // Rows 5 to 9 alone, told their place.
  IntegrateOptions later{.first_sample = 5, .observers = {}};
  EXPECT_LT(
      worst(generate(denoiser, Ancestral(), grid, {5, 2}, rng, at::kDouble, later).x, whole.narrow(0, 5, 5)),
      1e-12);
}

// A network laid out for sampling: its rows do not know of each other, of threads or of blocks.
TEST(Integrate, DrawsTheSameFromANetworkWithAnyThreadsAndBlocks) {
  const auto network =
      std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 48, .depth = 2, .zero_output = false}, 3);
  const LearnedDenoiser denoiser(network, {.process = process("vp"), .prediction = Prediction::noise()});
  const FunctionDenoiser plain(
      [&](const Tensor& x, const Times& t) {
        return network->forward_plain(x, at::full({1}, t.scalar(), x.options()), {});
      },
      process("vp"), Prediction::noise());
  const TimeGrid grid = TimeGrid::uniform(12, {.end = 1e-3});
  const auto draw = [&](const Denoiser& from, int64_t block) {
    IntegrateOptions options{.block = block, .observers = {}};
    return generate(from, Ancestral(), grid, {301, 2}, Rng(7), at::kFloat, options).x;
  };
  const Tensor whole = draw(denoiser, 4096);
  const int before = at::get_num_threads();
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    EXPECT_EQ(worst(draw(denoiser, 4096), whole), 0);
  }
  at::set_num_threads(before);
  const double size = whole.abs().max().item<double>();
  // libtorch's own sums round the last few elements of a tensor otherwise than the others.
  EXPECT_LT(worst(draw(denoiser, 37), whole), 1e-6 * size);
  EXPECT_LT(worst(draw(plain, 4096), whole), 1e-5 * size);
}

TEST(Integrate, CountsEvaluationsAndShowsEveryState) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  const TimeGrid grid = TimeGrid::uniform(6, {.start = 1, .end = 0.1});
  Trajectory trajectory(grid.steps(), {4, 2}, at::kDouble);
  IntegrateOptions options{.block = 3, .observers = {trajectory.observer()}};
  const Tensor x = Rng(1).normal({4, 2}, {}, at::kDouble);
  const Integration run = integrate(denoiser, Heun(), grid, x, options);
  EXPECT_EQ(run.evaluations, 12);
  EXPECT_TRUE(at::equal(trajectory.states()[0], x));
  EXPECT_TRUE(at::equal(trajectory.states()[6], run.x));
  const Tensor middle =
      integrate(denoiser, Heun(), TimeGrid({grid.times().begin(), grid.times().begin() + 4}), x).x;
  EXPECT_LT(worst(trajectory.states()[3], middle), 1e-13);
}

// VE is still noisy at t = 0: the last step returns E[x_0 | x_t].
TEST(Integrate, EndsAtCleanDataWhereTheProcessDoesNot) {
  const GaussianProcess ve = process("ve");
  const AnalyticDenoiser denoiser = gaussian(ve);
  const Tensor x = at::full({1, 1}, 3.0, at::kDouble);
  const TimeGrid grid({0.5, 0.0});
  const Tensor noisy = integrate(denoiser, Ddim(), grid, x, {.observers = {}, .denoise_end = false}).x;
  const Integration clean = integrate(denoiser, Ddim(), grid, x);
  EXPECT_LT(worst(clean.x, denoiser.estimate(noisy, 0.0).denoised()), 1e-14);
  EXPECT_EQ(clean.evaluations, 2);
}

TEST(Integrate, RefusesAStochasticSamplerWithoutNoise) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  EXPECT_THROW(integrate(denoiser, Ancestral(), TimeGrid::uniform(3), at::zeros({1, 2}, at::kDouble)), Error);
}

TEST(TimeGrid, HasTheStatedSpacings) {
  const GaussianProcess vp = process("vp"), edm = process("edm");
  EXPECT_EQ(TimeGrid::uniform(4).times(), (std::vector<double>{1, 0.75, 0.5, 0.25, 0}));
  EXPECT_EQ(TimeGrid::quadratic(2).times(), (std::vector<double>{1, 0.25, 0}));
  const auto log_snr = TimeGrid::uniform_log_snr(vp, 5).times();
  ASSERT_EQ(log_snr.size(), 6u);
  EXPECT_EQ(log_snr.back(), 0);
  EXPECT_NEAR(log_snr[4], vp.time_min(), 1e-15);
  for (int i = 1; i < 4; ++i)
    EXPECT_NEAR(vp.log_snr(log_snr[i + 1]) - vp.log_snr(log_snr[i]), vp.log_snr(log_snr[1]) - vp.log_snr(1),
                1e-9);
  // Karras et al. (2022), eq. 5, whose last level is sigma_min at t = 0 of this process.
  const auto karras = TimeGrid::karras(edm, 4).times();
  for (int i = 0; i <= 4; ++i)
    EXPECT_NEAR(
        edm.sigma(karras[i]),
        std::pow(std::pow(80, 1 / 7.0) + i / 4.0 * (std::pow(0.002, 1 / 7.0) - std::pow(80, 1 / 7.0)), 7),
        1e-9 * 80);
}

TEST(TimeGrid, RefusesWhatIsNotAGrid) {
  EXPECT_THROW(TimeGrid({1.0}), Error);
  EXPECT_THROW(TimeGrid({0.5, 0.5}), Error);
  EXPECT_THROW(TimeGrid({0.5, 1.0}), Error);
  EXPECT_THROW(TimeGrid({1.5, 0.0}), Error);
  EXPECT_THROW(TimeGrid::uniform(0), Error);
  EXPECT_THROW(TimeGrid::uniform(5, {.start = 0.1, .end = 0.2}), Error);
}

/// Draws noise in two steps that are 2^20 apart, and does nothing else.
class RareNoise final : public Sampler {
 public:
  static constexpr int64_t apart = int64_t{1} << 20;
  std::string name() const override { return "rare-noise"; }
  SamplerOrder order() const override { return {.deterministic = false}; }

 private:
  StepResult do_step(const Denoiser&, const Tensor& x, StepContext& context) const override {
    return {context.index % apart == 3 ? x + context.noise(5) : x, 0};
  }
};

// 2^20 steps of 4096 draws each are 2^32 places.
TEST(Integrate, NoiseDoesNotRepeatInLongRuns) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  std::vector<Tensor> drawn;
  const NoiseSource noise = [&](IntArrayRef shape, DrawPosition position) {
    drawn.push_back(Rng(1).normal(shape, position, at::kDouble));
    return drawn.back();
  };
  integrate(denoiser, RareNoise(), TimeGrid::uniform(RareNoise::apart + 10), at::zeros({2, 2}, at::kDouble),
            {.noise = noise, .observers = {}});
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_GT(worst(drawn[0], drawn[1]), 1e-3);
}

TEST(DrawStep, TellsEveryDrawOfALongRunApart) {
  for (const auto& [draws, apart] :
       {std::pair<uint64_t, int64_t>{4096, int64_t{1} << 20}, {4, int64_t{1} << 30}})
    for (const int64_t step : {0, 1, 9'999'999}) {
      const uint64_t here = draw_step(step, draws, draws - 1),
                     later = draw_step(step + apart, draws, draws - 1);
      EXPECT_NE(here, draw_step(step + 1, draws, 0));
      EXPECT_GT(worst(Rng(1).normal({1, 4}, {.step = here}), Rng(1).normal({1, 4}, {.step = later})), 1e-3);
    }
}

TEST(Integrate, NamesTheRowThatLeavesTheRangeOfNumbers) {
  const GaussianProcess vp = process("vp");
  // Row 6 of the run, which is row 2 of its second block, has no noise estimate.
  const FunctionDenoiser function(
      [](const Tensor& x, const Times&) { return at::where(x > 50, std::nan(""), x); }, vp,
      Prediction::noise());
  Tensor x = at::zeros({8, 1}, at::kDouble);
  x[6] = 100;
  for (const Sampler* sampler : std::initializer_list<const Sampler*>{new Dopri5(), new AdaptiveSde()}) {
    int64_t row = -1;
    try {
      integrate(function, *sampler, TimeGrid({0.9, 0.1}), x,
                {.noise = Rng(1).noise_source(at::kDouble), .block = 4, .observers = {}});
    } catch (const RowError& error) {
      row = error.row();
    }
    EXPECT_EQ(row, 6) << sampler->name();
    delete sampler;
  }
}

TEST(Integrate, HeedsAStopRequest) {
  const AnalyticDenoiser denoiser(two_modes(), process("vp"));
  StopRequest request;
  const StopScope scope(&request);
  int64_t steps = 0;
  const Observer observer = [&](const Observation&) {
    if (++steps == 4) request.make();
  };
  expect_error(
      [&] {
        integrate(denoiser, Ddim(), TimeGrid::uniform(50), at::zeros({2, 2}, at::kDouble),
                  {.observers = {observer}});
      },
      ErrorKind::stopped, "stopped");
  EXPECT_EQ(steps, 4);
}

}  // namespace
}  // namespace fokker
