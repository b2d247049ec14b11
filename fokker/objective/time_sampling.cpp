#include "fokker/objective/time_sampling.h"

#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/normal_quantiles.h"

namespace fokker {
namespace {

/// n numbers in (0, 1), each uniform.
Tensor unit_numbers(TimeSampling::Method method, int64_t n, uint64_t step, const Rng& rng) {
  const DrawPosition position{.step = step};
  if (method == TimeSampling::Method::independent) return rng.uniform({n}, position, at::kDouble);
  if (method == TimeSampling::Method::antithetic) {
    const Tensor half = rng.uniform({(n + 1) / 2}, position, at::kDouble);
    return at::cat({half, 1 - half}).narrow(0, 0, n);
  }
  const double offset = rng.uniform({1}, position, at::kDouble).item<double>();
  const Tensor index = at::arange(n, at::TensorOptions(at::kDouble));
  return (index / static_cast<double>(n) + offset).frac().clamp(1e-12, 1 - 1e-12);
}

/// Times of uniform t, or on a chain of steps i/N.
double uniform_time(const GaussianProcess& process, double u) {
  const auto steps = static_cast<double>(process.schedule()->chain_steps());
  if (steps > 0) return std::min(std::floor(u * steps) + 1, steps) / steps;
  return std::lerp(process.time_min(), 1.0, u);
}

}  // namespace

Tensor sample_times(const GaussianProcess& process, const TimeSampling& options, int64_t n, uint64_t step,
                    const Rng& rng) {
  check(n > 0, "sample_times: expected n > 0 but received {}", n);
  const bool log_normal = options.law == TimeSampling::Law::log_normal;
  const Tensor unit = unit_numbers(options.method, n, step, rng);
  Tensor times = (log_normal ? normal_quantiles(unit) : unit).contiguous();
  double* t = times.data_ptr<double>();
  for (int64_t i = 0; i < n; ++i) {
    const double time =
        log_normal
            ? process.schedule()->time_of_log_snr(-2.0 * (options.log_mean + options.log_deviation * t[i]))
            : uniform_time(process, t[i]);
    t[i] = std::max(time, process.time_min());
  }
  return times;
}

Tensor sample_chain_steps(int64_t steps, int64_t n, uint64_t step, const Rng& rng) {
  check(steps > 0, "sample_chain_steps: expected steps > 0 but received {}", steps);
  check(n > 0, "sample_chain_steps: expected n > 0 but received {}", n);
  const auto count = static_cast<double>(steps);
  return (unit_numbers(TimeSampling::Method::low_discrepancy, n, step, rng) * count)
      .floor()
      .add(1)
      .clamp_max(count);
}

}  // namespace fokker
