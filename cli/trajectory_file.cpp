#include "cli/trajectory_file.h"

#include "fokker/core/error.h"

namespace fokker::cli {

TrajectoryFile::TrajectoryFile(std::string path, int64_t n, int64_t steps, int64_t every,
                               std::function<Tensor(const Tensor&)> to_user)
    : path_(std::move(path)), n_(n), steps_(steps), every_(every), to_user_(std::move(to_user)) {
  check(every > 0, "TrajectoryFile: expected every > 0 but received {}", every);
}

Observer TrajectoryFile::observer() {
  return [this](const Observation& seen) { write(seen); };
}

void TrajectoryFile::write(const Observation& seen) {
  const bool last = seen.step == steps_;
  if (seen.step % every_ != 0 && !last) return;
  const Tensor rows = to_user_(seen.x);
  // Rounded up, because the last state is kept whether or not its turn has come.
  const auto row_of = [this](int64_t step) { return (step + every_ - 1) / every_; };
  if (!writer_) {
    std::vector<int64_t> shape{row_of(steps_) + 1, n_};
    for (const int64_t size : rows.sizes().slice(1)) shape.push_back(size);
    writer_.emplace(path_, shape, rows.scalar_type());
  }
  writer_->write_block(row_of(seen.step), seen.first_sample, rows);
}

void TrajectoryFile::finish() {
  writer_->finish();
}

}  // namespace fokker::cli
