#include "fokker/evaluate/score_error.h"

#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

double average(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

ScoreError score_error(const Denoiser& denoiser, const AnalyticDenoiser& exact,
                       const std::vector<double>& times, int64_t samples, const Rng& rng,
                       at::TensorOptions type) try {
  check(samples > 1, "score_error: expected at least 2 samples but received {}", samples);
  check(!times.empty(), "score_error: expected at least one time");
  const GradientMode off(false);
  ScoreError result{.times = times, .fisher = {}, .fisher_error = {}, .noise = {}, .noise_error = {}};
  for (size_t i = 0; i < times.size(); ++i) {
    check_stop();
    const double t = times[i], sigma = exact.process().sigma(t);
    check(sigma > 0, "score_error: expected times with sigma > 0 but sigma({}) = 0", t);
    const Tensor x = exact.marginal(t).sample(samples, rng.stream(i));
    // The score is -noise / sigma, and noise predictions lose nothing where sigma is small.
    const Tensor gap =
        denoiser.estimate(x.to(type), t).noise().cpu().to(at::kDouble) - exact.estimate(x, t).noise();
    const Tensor squares = sum_events(gap.square());
    const double mean = squares.mean().item<double>();
    const double error = squares.std().item<double>() / std::sqrt(static_cast<double>(samples));
    result.noise.push_back(mean);
    result.noise_error.push_back(error);
    result.fisher.push_back(mean / (sigma * sigma));
    result.fisher_error.push_back(error / (sigma * sigma));
  }
  result.mean_fisher = average(result.fisher);
  result.mean_noise = average(result.noise);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
