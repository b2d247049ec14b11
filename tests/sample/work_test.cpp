// What a method says about its work, and the step of a corrector, in closed form.
#include <gtest/gtest.h>

#include "fokker/evaluate/convergence.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

/// Stays where it is: leaves a corrector alone with its step.
class Stay final : public Sampler {
 public:
  std::string name() const override { return "stay"; }
  SamplerOrder order() const override { return {}; }

 private:
  StepResult do_step(const Denoiser&, const Tensor& x, StepContext&) const override { return {x, 0}; }
};

std::vector<NamedSampler> every_sampler() {
  std::vector<NamedSampler> all = deterministic_samplers();
  for (const auto& more : {started_low(), stochastic_samplers()})
    all.insert(all.end(), more.begin(), more.end());
  const auto predictor = std::make_shared<EulerMaruyama>();
  for (const double relative : {0.0, 0.1})
    all.push_back({fmt::format("predictor-corrector {}", relative),
                   std::make_shared<PredictorCorrector>(
                       predictor, PredictorCorrector::Options{.inner = 3, .relative_step = relative})});
  all.push_back({"adaptive-sde", std::make_shared<AdaptiveSde>()});
  all.push_back({"dopri5", std::make_shared<Dopri5>()});
  return all;
}

// Reports compare methods at equal work, so each must count every call of the denoiser: between levels, on
// the way to clean data, and where the process ends noisy.
TEST(Work, IsCountedCallByCall) {
  for (const char* spec : {"vp", "ve:sigma_max=10"}) {
    const AnalyticDenoiser exact = gaussian_denoiser(spec);
    for (const double end : {0.2, 0.0})
      for (const auto& [label, sampler] : every_sampler()) {
        int64_t calls = 0;
        const FunctionDenoiser counting(
            [&](const Tensor& x, const Times& t) {
              ++calls;
              return exact.estimate(x, t).noise();
            },
            exact.process(), Prediction::noise());
        const TimeGrid grid = TimeGrid::uniform(9, {.start = 0.95, .end = end});
        const Integration run = integrate(counting, *sampler, grid, exact.marginal(0.95).sample(4, Rng(1)),
                                          {.noise = Rng(2).noise_source(at::kDouble), .observers = {}});
        EXPECT_EQ(run.evaluations, calls) << label << " under " << spec << " to " << end;
      }
  }
}

// Song et al. (2021), algorithms 4 and 5: h = 2 (alpha_t / alpha_s)^2 (r |z| / |score|)^2 with norms averaged
// over the rows, or a multiple of sigma_s^2; then x + h score + sqrt(2 h) z.
TEST(PredictorCorrector, TakesThePublishedStep) {
  const double t = 0.6, s = 0.5, r = 0.3;
  for (const char* spec : {"vp", "ve:sigma_max=10"}) {
    const AnalyticDenoiser denoiser = mixture_denoiser(spec);
    const GaussianProcess& process = denoiser.process();
    const Tensor x = rows_of({{0.3, -1.0}, {2.0, 0.5}, {-0.7, 0.1}}),
                 z = rows_of({{1, 2}, {-1, 0.5}, {0, 3}});
    const Tensor score = denoiser.estimate(x, s).score();
    const auto mean_norm = [](const Tensor& rows) { return average(rows.square().sum(1).sqrt()); };
    for (const double relative : {0.0, 0.4}) {
      const double kept = std::pow(process.alpha(t) / process.alpha(s), 2), sigma = process.sigma(s);
      const double h = relative > 0 ? relative * sigma * sigma
                                    : 2 * kept * std::pow(r * mean_norm(z) / mean_norm(score), 2);
      std::any history;
      StepContext context{t, s, [&](uint32_t) { return z; }, history};
      const PredictorCorrector sampler(std::make_shared<Stay>(),
                                       {.signal_to_noise = r, .relative_step = relative});
      const Tensor expected = x + h * score + std::sqrt(2 * h) * z;
      EXPECT_LT(worst(sampler.step(denoiser, x, context).x, expected), 1e-12) << spec << " " << relative;
    }
  }
}

// Without noise, paths and laws converge alike.
TEST(SamplerOrder, IsOneNumberWithoutNoise) {
  for (const auto& samplers : {deterministic_samplers(), started_low()})
    for (const auto& [label, sampler] : samplers) {
      EXPECT_TRUE(sampler->order().deterministic) << label;
      EXPECT_EQ(sampler->order().strong, sampler->order().weak) << label;
    }
}

// A multistep method that starts with Runge and Kutta's does so at every level of noise: its first step is
// far closer to the flow than one of first order.
TEST(RungeKuttaStart, HoldsAtEveryLevelOfNoise) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const auto rk = Start::runge_kutta;
  const std::vector<NamedSampler> samplers = {
      {"lms", std::make_shared<LinearMultistep>(LinearMultistep::Options{.order = 4, .start = rk})},
      {"deis", std::make_shared<Deis>(Deis::Options{.order = 3, .start = rk})},
      {"dpmpp-3m", std::make_shared<DpmPp3M>(DpmPp3M::Options{.start = rk})}};
  for (const double t : {0.1, 0.3, 0.8}) {
    const double s = t - 0.01;
    const Tensor x = denoiser.marginal(t).sample(16, Rng(1)), exact = exact_flow(denoiser, x, t, s);
    const auto error = [&](const Sampler& sampler) {
      std::any history;
      StepContext context{t, s, nullptr, history, 0, 10};
      return worst(sampler.step(denoiser, x, context).x, exact);
    };
    for (const auto& [label, sampler] : samplers)
      EXPECT_LT(error(*sampler), 0.1 * error(Ddim())) << label << " at " << t;
  }
}

TEST(Integrate, StopsAfterTheFirstStepWhereItIsAsked) {
  const AnalyticDenoiser denoiser = mixture_denoiser("vp");
  const Tensor x = denoiser.marginal(0.9).sample(4, Rng(1));
  const TimeGrid grid = TimeGrid::uniform(6, {.start = 0.9, .end = 0.1});
  std::vector<int64_t> asked;
  const Integration run =
      integrate(denoiser, Heun(), grid, x, {.observers = {}, .stop = [&](const Observation& seen) {
                                              asked.push_back(seen.step);
                                              return true;
                                            }});
  EXPECT_EQ(asked, std::vector<int64_t>{1});
  EXPECT_EQ(run.evaluations, 2);
}

}  // namespace
}  // namespace fokker
