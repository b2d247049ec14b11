#include "fokker/sde/brownian.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

WienerIncrements wiener_increments(NoiseSource noise) {
  check(static_cast<bool>(noise), "wiener_increments: expected a source of noise but received none");
  return [noise = std::move(noise)](IntArrayRef shape, const WienerStep& step) {
    const DrawPosition position{step.first_sample, static_cast<uint64_t>(step.step)};
    return noise(shape, position) * std::sqrt(step.end - step.begin);
  };
}

WienerIncrements wiener_increments(const Rng& rng) {
  return wiener_increments(rng.stream("wiener").noise_source(at::kDouble));
}

BrownianPath::BrownianPath(const Rng& rng, double end, int64_t steps)
    : rng_(rng.stream("brownian-path")), end_(end), steps_(steps) {
  check(std::isfinite(end) && end > 0, "BrownianPath: expected an end > 0 but received {}", end);
  check(steps > 0, "BrownianPath: expected steps > 0 but received {}", steps);
}

int64_t BrownianPath::index(double t) const {
  const double position = t / end_ * static_cast<double>(steps_);
  const double nearest = std::round(position);
  check(std::abs(position - nearest) <= 1e-6 && nearest >= 0 && nearest <= static_cast<double>(steps_),
        "BrownianPath: expected a multiple of {}/{} within [0, {}] but received {}", end_, steps_, end_, t);
  return static_cast<int64_t>(nearest);
}

Tensor BrownianPath::increment(IntArrayRef shape, const WienerStep& step) const {
  const int64_t first = index(step.begin), last = index(step.end);
  check(first <= last, "BrownianPath: expected begin <= end but received {} and {}", step.begin, step.end);
  Tensor sum = at::zeros(shape, at::kDouble);
  for (int64_t i = first; i < last; ++i)
    sum += rng_.normal(shape, {step.first_sample, static_cast<uint64_t>(i)}, at::kDouble);
  return sum * std::sqrt(end_ / static_cast<double>(steps_));
}

Tensor BrownianPath::value(IntArrayRef shape, double t, int64_t first_sample) const {
  return increment(shape, {.first_sample = first_sample, .begin = 0, .end = t});
}

WienerIncrements BrownianPath::increments() const {
  return [path = *this](IntArrayRef shape, const WienerStep& step) { return path.increment(shape, step); };
}

namespace {

void check_request(int64_t n, int64_t d, const std::vector<double>& times, const char* caller) {
  check(n >= 0 && d > 0, "{}: expected n >= 0 and d > 0 but received n = {}, d = {}", caller, n, d);
  check(!times.empty(), "{}: expected at least one time but received none", caller);
  for (size_t i = 0; i < times.size(); ++i)
    check(std::isfinite(times[i]) && (i == 0 ? times[0] >= 0 : times[i] > times[i - 1]),
          "{}: expected increasing times >= 0 but received times[{}] = {}", caller, i, times[i]);
}

/// The standard normal behind the increment that ends at times[i].
Tensor increment_noise(int64_t n, int64_t d, size_t i, const Rng& rng) {
  return rng.stream("brownian").normal({n, d}, {.step = static_cast<uint64_t>(i)}, at::kDouble);
}

}  // namespace

Tensor brownian_paths(int64_t n, int64_t d, const std::vector<double>& times, const Rng& rng) try {
  check_request(n, d, times, "brownian_paths");
  std::vector<Tensor> states;
  Tensor state = at::zeros({n, d}, at::kDouble);
  double before = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    state = state + std::sqrt(times[i] - before) * increment_noise(n, d, i, rng);
    states.push_back(state);
    before = times[i];
  }
  return at::stack(states);
} catch (...) {
  detail::throw_as_error();
}

Tensor white_noise(int64_t n, int64_t d, const std::vector<double>& times, const Rng& rng) try {
  check_request(n, d, times, "white_noise");
  check(times.size() >= 2, "white_noise: expected at least two times but received {}", times.size());
  std::vector<Tensor> noise;
  for (size_t i = 1; i < times.size(); ++i)
    noise.push_back(increment_noise(n, d, i, rng) / std::sqrt(times[i] - times[i - 1]));
  return at::stack(noise);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
