#include "cli/plot/trajectory_file.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::cli {
namespace {

constexpr double kSameTime = 1e-9;

/// Where a list of times must be changed: "0.5 and 0.45".
std::string neighbours(const std::vector<double>& times, double t) {
  std::vector<double> nearest = times;
  std::sort(nearest.begin(), nearest.end(),
            [t](double a, double b) { return std::abs(a - t) < std::abs(b - t); });
  return fmt::format("{:.6g} and {:.6g}", nearest[0], nearest[1]);
}

}  // namespace

std::vector<int64_t> every_step(int64_t steps, int64_t every) {
  check(every > 0, "trajectory-every: expected trajectory-every > 0 but received {}", every);
  std::vector<int64_t> kept;
  for (int64_t step = 0; step < steps; step += every) kept.push_back(step);
  kept.push_back(steps);
  return kept;
}

std::vector<int64_t> steps_at(const TimeGrid& grid, const std::vector<double>& times) {
  const auto& all = grid.times();
  std::vector<int64_t> kept;
  for (const double t : times) {
    const auto at =
        std::find_if(all.begin(), all.end(), [t](double each) { return std::abs(each - t) <= kSameTime; });
    check(at != all.end(),
          "trajectory-times: {} is not a time of this run; the nearest are {} (--grid takes a list of times)",
          t, neighbours(all, t));
    kept.push_back(at - all.begin());
  }
  std::sort(kept.begin(), kept.end());
  const auto twice = std::adjacent_find(kept.begin(), kept.end());
  check(twice == kept.end(), "trajectory-times: expected each time once but received {} twice",
        twice == kept.end() ? 0 : all[static_cast<size_t>(*twice)]);
  return kept;
}

TrajectoryFile::TrajectoryFile(std::string path, int64_t n, std::vector<int64_t> kept,
                               std::function<Tensor(const Tensor&)> to_user)
    : path_(std::move(path)), n_(n), kept_(std::move(kept)), to_user_(std::move(to_user)) {}

Observer TrajectoryFile::observer() {
  return [this](const Observation& seen) { write(seen); };
}

void TrajectoryFile::write(const Observation& seen) {
  const auto place = std::lower_bound(kept_.begin(), kept_.end(), seen.step);
  if (place == kept_.end() || *place != seen.step) return;
  const Tensor rows = to_user_(seen.x);
  if (!writer_) {
    std::vector<int64_t> shape{static_cast<int64_t>(kept_.size()), n_};
    for (const int64_t size : rows.sizes().slice(1)) shape.push_back(size);
    writer_.emplace(path_, shape, rows.scalar_type());
  }
  writer_->write_block(place - kept_.begin(), seen.first_sample, rows);
}

void TrajectoryFile::finish() {
  writer_->finish();
}

}  // namespace fokker::cli
