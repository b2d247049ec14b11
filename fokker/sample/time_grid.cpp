#include "fokker/sample/time_grid.h"

#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

void check_arguments(int64_t steps, TimeRange range) {
  check(steps > 0 && steps <= 10'000'000, "TimeGrid: expected 1 to 10000000 steps but received {}", steps);
  check(range.end >= 0 && range.end < range.start && range.start <= 1,
        "TimeGrid: expected 0 <= end < start <= 1 but received start = {}, end = {}", range.start, range.end);
}

/// Times at which `time_at(i / intervals)` runs from `start` to the last noisy time, then the end itself.
template <typename TimeAt>
TimeGrid spaced(int64_t steps, TimeRange range, double last_noisy, TimeAt time_at) {
  const bool clean_end = range.end < last_noisy;
  if (clean_end && steps == 1) return TimeGrid({range.start, range.end});
  const int64_t intervals = clean_end ? steps - 1 : steps;
  std::vector<double> times{range.start};
  for (int64_t i = 1; i < intervals; ++i)
    times.push_back(time_at(static_cast<double>(i) / static_cast<double>(intervals)));
  times.push_back(clean_end ? last_noisy : range.end);
  if (clean_end) times.push_back(range.end);
  return TimeGrid(std::move(times));
}

}  // namespace

TimeGrid::TimeGrid(std::vector<double> times) : times_(std::move(times)) {
  check(times_.size() >= 2, "TimeGrid: expected at least two times but received {}", times_.size());
  for (size_t i = 0; i < times_.size(); ++i) {
    check(times_[i] >= 0 && times_[i] <= 1, "TimeGrid: expected times in [0, 1] but received {}", times_[i]);
    check(i == 0 || times_[i] < times_[i - 1], "TimeGrid: expected decreasing times but received {} after {}",
          times_[i], times_[i > 0 ? i - 1 : 0]);
  }
}

TimeGrid TimeGrid::uniform(int64_t steps, TimeRange range) {
  check_arguments(steps, range);
  std::vector<double> times;
  // Computed from the noisy end as (steps - i)/steps, so that a chain's i/N are hit exactly.
  for (int64_t i = 0; i <= steps; ++i)
    times.push_back(range.end + (range.start - range.end) *
                                    (static_cast<double>(steps - i) / static_cast<double>(steps)));
  return TimeGrid(std::move(times));
}

TimeGrid TimeGrid::uniform_log_snr(const GaussianProcess& process, int64_t steps, TimeRange range) {
  check_arguments(steps, range);
  // The flow has log-SNR -infinity at t = 1: the spacing then begins at its last finite time.
  const double low = std::max(process.log_snr(range.start), -20.0);
  const double last = range.end > 0 ? range.end : process.time_min();
  const double high = process.log_snr(last);
  return spaced(steps, range, last,
                [&](double u) { return process.schedule()->time_of_log_snr(std::lerp(low, high, u)); });
}

TimeGrid TimeGrid::quadratic(int64_t steps, TimeRange range) {
  check_arguments(steps, range);
  std::vector<double> times;
  for (int64_t i = 0; i <= steps; ++i) {
    const double root = std::lerp(std::sqrt(range.start), std::sqrt(range.end),
                                  static_cast<double>(i) / static_cast<double>(steps));
    times.push_back(i == steps ? range.end : root * root);
  }
  return TimeGrid(std::move(times));
}

TimeGrid TimeGrid::karras(const GaussianProcess& process, int64_t steps, double rho, TimeRange range) {
  check_arguments(steps, range);
  check(rho > 0, "TimeGrid::karras: expected rho > 0 but received {}", rho);
  const double last = range.end > 0 ? range.end : process.time_min();
  // (sigma/alpha)^(1/rho) = exp(-lambda/(2 rho))
  const double from = std::exp(-std::max(process.log_snr(range.start), -20.0) / (2 * rho));
  const double to = std::exp(-process.log_snr(last) / (2 * rho));
  return spaced(steps, range, last, [&](double u) {
    return process.schedule()->time_of_log_snr(-2 * rho * std::log(std::lerp(from, to, u)));
  });
}

TimeGrid TimeGrid::chain(const GaussianProcess& process, int64_t steps, ChainSpacing spacing,
                         int64_t offset) {
  const int64_t length = process.schedule()->chain_steps();
  check(length > 0, "TimeGrid::chain: expected the process of a chain, such as ddpm, but received '{}'",
        process.schedule()->config()["type"].get<std::string>());
  check(steps > 0 && steps <= length, "TimeGrid::chain: expected 1 to {} steps but received {}", length,
        steps);
  check(offset >= 0 && (offset == 0 || spacing == ChainSpacing::leading),
        "TimeGrid::chain: expected an offset >= 0, for leading spacing only, but received {}", offset);
  const auto index = [&](int64_t k) -> int64_t {  // k counts from the noise
    const auto n = static_cast<double>(steps), total = static_cast<double>(length),
               from = static_cast<double>(k);
    if (spacing == ChainSpacing::leading) return (steps - 1 - k) * (length / steps) + offset;
    if (spacing == ChainSpacing::trailing) return std::llrint(total - from * (total / n)) - 1;
    return steps == 1 ? 0 : std::llrint((total - 1) * ((n - 1 - from) / (n - 1)));
  };
  std::vector<double> times;
  for (int64_t k = 0; k < steps; ++k) {
    check(index(k) < length, "TimeGrid::chain: the offset {} leads beyond the chain of {} steps", offset,
          length);
    times.push_back(static_cast<double>(index(k) + 1) / static_cast<double>(length));
  }
  times.push_back(0);
  return TimeGrid(std::move(times));
}

TimeGrid TimeGrid::reversed() const {
  TimeGrid grid = *this;
  std::reverse(grid.times_.begin(), grid.times_.end());
  return grid;
}

}  // namespace fokker
