// Agreement with published implementations: the figures that Hugging Face diffusers' own tests
// (tests/schedulers/test_scheduler_{ddpm,ddim,pndm,dpm_multi,unipc,deis}.py, Apache 2.0) expect of their
// schedulers on one small problem. The model answers x i/(i + 1) at step i of the linear chain of 1000; the
// start is 0..767 over 768.
//
// Where the methods coincide, so must the numbers. Not comparable, and so not here: their Euler, Heun and LMS
// tests hand the scaled model input back as the state, and their single-step DPM-Solver evaluates at times of
// the grid instead of midpoints.
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "fokker/denoise/guidance.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

GaussianProcess chain(double first_beta = 1e-4) {
  return GaussianProcess(BetaTable::linear(1000, first_beta, 0.02));
}

FunctionDenoiser dummy(const GaussianProcess& process, Prediction prediction = Prediction::noise()) {
  return FunctionDenoiser(
      [](const Tensor& x, const Times& t) {
        const double index = std::round(1000 * t.scalar()) - 1;
        return x * (index / (index + 1));
      },
      process, prediction);
}

Tensor start() {
  return (at::arange(768, at::kDouble) / 768).reshape({3, 8, 8, 4}).permute({3, 0, 1, 2}).contiguous();
}

/// Mean of |x| at the end of the run.
double mean_size(const Sampler& sampler, const Denoiser& denoiser, const TimeGrid& grid) {
  return integrate(denoiser, sampler, grid, start(), {.observers = {}, .denoise_end = false})
      .x.abs()
      .mean()
      .item<double>();
}

/// Ends one step before t = 0, at the chain's first step: their final_sigmas_type = sigma_min,
/// set_alpha_to_one = False.
TimeGrid before_the_data(const TimeGrid& grid, bool append) {
  std::vector<double> times = grid.times();
  times.pop_back();
  if (append) times.push_back(1e-3);
  return TimeGrid(times);
}

/// Ten of eleven indices evenly from 999 to 0, as their multistep solvers take them.
TimeGrid ten_of_eleven(const GaussianProcess& process) {
  std::vector<double> times = TimeGrid::chain(process, 11, ChainSpacing::linspace).times();
  times.erase(times.end() - 2);
  return TimeGrid(times);
}

TEST(Published, Ddim) {
  const GaussianProcess process = chain();
  const TimeGrid grid = TimeGrid::chain(process, 10, ChainSpacing::leading);
  EXPECT_NEAR(768 * mean_size(Ddim(), dummy(process), grid), 172.0067, 1e-2);
  EXPECT_NEAR(mean_size(Ddim(), dummy(process), grid), 0.223967, 1e-3);
  EXPECT_NEAR(768 * mean_size(Ddim(), dummy(process, Prediction::velocity()), grid), 52.5302, 1e-2);
  const GaussianProcess noisier = chain(0.01);
  EXPECT_NEAR(768 * mean_size(Ddim(), dummy(noisier), grid), 149.8295, 1e-2);
  EXPECT_NEAR(768 * mean_size(Ddim(), dummy(noisier), before_the_data(grid, false)), 149.0784, 1e-2);
}

TEST(Published, Pndm) {
  const GaussianProcess process = chain();
  const TimeGrid grid = TimeGrid::chain(process, 10, ChainSpacing::leading);
  const TimeGrid ends_early = before_the_data(grid, false);
  EXPECT_NEAR(768 * mean_size(Pndm(), dummy(process), ends_early), 198.1318, 1e-2);
  const GaussianProcess noisier = chain(0.01);
  EXPECT_NEAR(768 * mean_size(Pndm(), dummy(noisier), grid), 230.0399, 1e-2);
  EXPECT_NEAR(768 * mean_size(Pndm(), dummy(noisier), ends_early), 186.9482, 1e-2);
}

TEST(Published, DpmSolverMultistep) {
  const GaussianProcess process = chain();
  const TimeGrid grid = before_the_data(ten_of_eleven(process), true);
  EXPECT_NEAR(mean_size(DpmPp2M(), dummy(process), grid), 0.3301, 1e-3);
  EXPECT_NEAR(mean_size(DpmPp2M(), dummy(process, Prediction::velocity()), grid), 0.2251, 1e-3);
}

TEST(Published, UniPc) {
  const GaussianProcess process = chain();
  const TimeGrid grid = before_the_data(ten_of_eleven(process), true);
  const UniPc sampler({.order = 2, .lower_order_final = true});
  EXPECT_NEAR(mean_size(sampler, dummy(process), grid), 0.2464, 1e-3);
  EXPECT_NEAR(mean_size(sampler, dummy(process, Prediction::velocity()), grid), 0.1014, 1e-3);
}

TEST(Published, Deis) {
  const GaussianProcess process = chain();
  const TimeGrid grid = before_the_data(ten_of_eleven(process), true);
  const Deis sampler({.order = 2, .variable = Deis::Variable::log_snr, .lower_order_final = true});
  EXPECT_NEAR(mean_size(sampler, dummy(process), grid), 0.23916, 1e-3);
  EXPECT_NEAR(mean_size(sampler, dummy(process, Prediction::velocity()), grid), 0.091, 1e-3);
}

// The noise is torch's own, from its generator with seed 0; the denoised estimate is clipped to [-1, 1].
TEST(Published, Ddpm) {
  const GaussianProcess process = chain();
  auto generator = at::detail::createCPUGenerator(0);
  const NoiseSource noise = [&](IntArrayRef shape, DrawPosition) {
    return at::randn(shape, generator, at::kFloat).to(at::kDouble);
  };
  const auto mean = [&](Prediction prediction) {
    generator.set_current_seed(0);
    const FunctionDenoiser model = dummy(process, prediction);
    return integrate(ClippedDenoiser(model, 1.0), Ancestral(), TimeGrid::uniform(1000), start(),
                     {.noise = noise, .observers = {}})
        .x.abs()
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(768 * mean(Prediction::noise()), 258.9606, 1e-2);
  EXPECT_NEAR(768 * mean(Prediction::velocity()), 202.0296, 1e-2);
}

}  // namespace
}  // namespace fokker
