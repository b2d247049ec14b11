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

/// |eps_theta - E[eps | x_t]|^2 of draws of x_t, (samples).
Tensor squared_gaps(const Denoiser& denoiser, const AnalyticDenoiser& exact, double t, int64_t samples,
                    const Rng& rng, at::TensorOptions type) {
  const double sigma = exact.process().sigma(t);
  check(sigma > 0, "score_error: expected times with sigma > 0 but sigma({}) = 0", t);
  const Tensor x = exact.marginal(t).sample(samples, rng);
  // The score is -noise / sigma, and noise predictions lose nothing where sigma is small.
  const Tensor gap =
      denoiser.estimate(x.to(type), t).noise().cpu().to(at::kDouble) - exact.estimate(x, t).noise();
  return sum_events(gap.square());
}

}  // namespace

ScoreError score_error(const Denoiser& denoiser, const AnalyticDenoiser& exact,
                       const std::vector<double>& times, int64_t samples, const Rng& rng,
                       at::TensorOptions type, const Ranks& ranks) try {
  check(samples > 1, "score_error: expected at least 2 samples but received {}", samples);
  check(!times.empty(), "score_error: expected at least one time");
  const GradientMode off(false);
  const Share own = ranks.share(std::ssize(times));
  Tensor found = at::zeros({own.count, 2}, at::TensorOptions(at::kDouble));
  ranks.on_each([&] {
    for (int64_t i = 0; i < own.count; ++i) {
      check_stop();
      const auto place = static_cast<size_t>(own.first + i);
      const Tensor squares = squared_gaps(denoiser, exact, times[place], samples, rng.stream(place), type);
      found[i][0] = squares.mean().item<double>();
      found[i][1] = squares.std().item<double>() / std::sqrt(static_cast<double>(samples));
    }
  });
  found = ranks.gather_rows(found);
  ScoreError result{.times = times, .fisher = {}, .fisher_error = {}, .noise = {}, .noise_error = {}};
  for (size_t i = 0; i < times.size(); ++i) {
    const double sigma = exact.process().sigma(times[i]), variance = sigma * sigma;
    const Tensor of_time = found[static_cast<int64_t>(i)];
    result.noise.push_back(of_time[0].item<double>());
    result.noise_error.push_back(of_time[1].item<double>());
    result.fisher.push_back(result.noise.back() / variance);
    result.fisher_error.push_back(result.noise_error.back() / variance);
  }
  result.mean_fisher = average(result.fisher);
  result.mean_noise = average(result.noise);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
