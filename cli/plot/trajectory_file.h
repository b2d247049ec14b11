#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/array/npy.h"
#include "fokker/sample/integrate.h"

namespace fokker::cli {

/// The start, every `every`-th step and the last of a run. Argument error unless every > 0.
std::vector<int64_t> every_step(int64_t steps, int64_t every);
/// The steps of the grid at the given times, in the order of the run. Argument error, naming the nearest
/// times, where one is not a time of the grid or is given twice.
std::vector<int64_t> steps_at(const TimeGrid& grid, const std::vector<double>& times);

/// Writes the states of a run at some of its steps to an NPY file (kept, n, event...) as they come, so that
/// memory holds one block of one time. The file appears at `finish`.
class TrajectoryFile {
 public:
  /// `kept` rises. `to_user` carries rows to the user's units and decides their type.
  TrajectoryFile(std::string path, int64_t n, std::vector<int64_t> kept,
                 std::function<Tensor(const Tensor&)> to_user);

  Observer observer();
  void finish();

 private:
  void write(const Observation& seen);

  std::string path_;
  int64_t n_;
  std::vector<int64_t> kept_;
  std::function<Tensor(const Tensor&)> to_user_;
  std::optional<NpyWriter> writer_;  // opened by the first state, which has the event's shape and type
};

}  // namespace fokker::cli
