// Agreement with published implementations: the figures that Hugging Face diffusers' own tests
// (tests/schedulers/test_scheduler_{ddpm,ddim,ddim_inverse,pndm,dpm_multi,dpm_single,unipc,deis}.py, Apache
// 2.0) expect of their schedulers on one small problem, within the tolerances there. Where the methods
// coincide, so must the numbers; where theirs has a habit of its own, the habit is here and not in the
// library.
#include "sample/published.h"

namespace fokker {
namespace {

using published::Place;
using published::Places;
using published::start;

GaussianProcess chain(double first_beta = 1e-4) {
  return GaussianProcess(BetaTable::linear(1000, first_beta, 0.02));
}

FunctionDenoiser dummy(const GaussianProcess& process, Prediction prediction = Prediction::noise()) {
  return FunctionDenoiser(
      [](const Tensor& x, const Times& t) {
        return x * published::model_factor(std::round(1000 * t.scalar()) - 1);
      },
      process, prediction);
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
  const auto mean = [&](Prediction prediction) {
    const auto model = std::make_shared<FunctionDenoiser>(dummy(process, prediction));
    return integrate(ClippedDenoiser(model, 1.0), Ancestral(), TimeGrid::uniform(1000), start(),
                     {.noise = published::torch_noise(0), .observers = {}})
        .x.abs()
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(768 * mean(Prediction::noise()), 258.9606, 1e-2);
  EXPECT_NEAR(768 * mean(Prediction::velocity()), 202.0296, 1e-2);
}

// From data to noise. Their step from index i - 100 to i tells the model i, where it arrives, while the state
// and the noise level are those it leaves; and it clips the denoised data to [-1, 1] without changing the
// noise that goes with it.
class Inversion final : public Denoiser {
 public:
  Inversion(const GaussianProcess& process, Prediction prediction, double index)
      : process_(process), prediction_(prediction), index_(index) {}
  const GaussianProcess& process() const override { return process_; }

  /// The estimate at the point that the clipped data and the noise make.
  Estimate estimate(const Tensor& x, const Times& t, const Tensor&) const override {
    const Estimate plain(x, x * published::model_factor(index_), prediction_, process_, t);
    const Tensor clipped = plain.denoised().clamp(-1, 1), noise = plain.noise();
    return Estimate(process_.perturb(clipped, noise, t), noise, Prediction::noise(), process_, t);
  }

 private:
  GaussianProcess process_;
  Prediction prediction_;
  double index_;
};

TEST(Published, DdimInverse) {
  // Leaves t = 0, or the chain's first step (their set_alpha_to_one = False): then the first step only clips.
  const auto sum = [](const GaussianProcess& process, Prediction prediction, bool from_data) {
    std::vector<double> times = TimeGrid::chain(process, 10, ChainSpacing::leading).reversed().times();
    if (!from_data) times[0] = times[1];
    Tensor x = start();
    std::any history;
    for (size_t k = 0; k + 1 < times.size(); ++k) {
      StepContext context{.t = times[k], .s = times[k + 1], .noise = {}, .history = history};
      x = Ddim().step(Inversion(process, prediction, 100 * static_cast<double>(k)), x, context).x;
    }
    return x.abs().sum().item<double>();
  };
  EXPECT_NEAR(sum(chain(), Prediction::noise(), true), 671.6816, 1e-2);
  EXPECT_NEAR(sum(chain(), Prediction::velocity(), true), 1394.2185, 1e-2);
  EXPECT_NEAR(sum(chain(0.01), Prediction::noise(), true), 539.9622, 1e-2);
  EXPECT_NEAR(sum(chain(0.01), Prediction::noise(), false), 542.6722, 1e-2);
}

// Their DPM-Solver++(2S) evaluates at times of the grid: a step spans two intervals, with its second
// evaluation at the time between, wherever that is in log-SNR.
class DpmSolverSinglestep : public ::testing::Test {
 protected:
  GaussianProcess process_ = chain();

  Places linspace(int64_t n) const {
    Places places;
    for (int64_t k = n; k > 0; --k) {
      const double index = std::nearbyint(999 * static_cast<double>(k) / static_cast<double>(n));
      places.push_back({(index + 1) / 1000, index});
    }
    return places;
  }
  Places karras(int64_t n) const {
    Places places = published::karras_places(process_, n);
    for (Place& place : places) place.index = std::round(place.index);
    return places;
  }

  /// From places[first] to the chain's first step; where an odd number of intervals is left, the first alone.
  Tensor run(Places places, Prediction prediction, Tensor x, size_t first = 0) const {
    const FunctionDenoiser model(
        [&](const Tensor& state, const Times& t) {
          return state * published::model_factor(published::index_at(places, t.scalar()));
        },
        process_, prediction);
    std::vector<double> times;
    for (const Place& place : places) times.push_back(place.time);
    times.push_back(1e-3);
    size_t k = first;
    const auto step = [&](const Sampler& sampler, size_t to) {
      std::any history;
      StepContext context{.t = times[k], .s = times[to], .noise = {}, .history = history};
      x = sampler.step(model, x, context).x;
      k = to;
    };
    if ((places.size() - first) % 2 == 1) step(Ddim(), k + 1);
    while (k + 2 < times.size()) {
      const double from = process_.log_snr(times[k]), to = process_.log_snr(times[k + 2]);
      step(DpmPp2S({.ratio = (process_.log_snr(times[k + 1]) - from) / (to - from)}), k + 2);
    }
    return x.abs();
  }
};

TEST_F(DpmSolverSinglestep, Published) {
  const auto mean = [&](const Places& places, Prediction prediction, size_t first = 0) {
    return run(places, prediction, start(), first).mean().item<double>();
  };
  EXPECT_NEAR(mean(linspace(10), Prediction::noise()), 0.2791, 1e-3);
  EXPECT_NEAR(mean(karras(10), Prediction::noise()), 0.2248, 1e-3);
  EXPECT_NEAR(mean(linspace(10), Prediction::velocity()), 0.1453, 1e-3);
  EXPECT_NEAR(mean(karras(10), Prediction::velocity()), 0.0649, 1e-3);
  EXPECT_NEAR(mean(linspace(50), Prediction::noise(), 3), 0.2574, 1e-3);
  const Places places = linspace(10);
  const Tensor noised = process_.perturb(start(), published::added_noise(), places[5].time);
  EXPECT_NEAR(run(places, Prediction::noise(), noised, 5).sum().item<double>(), 269.2187, 1e-2);
}

}  // namespace
}  // namespace fokker
