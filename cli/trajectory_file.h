#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/npy.h"
#include "fokker/sample/integrate.h"

namespace fokker::cli {

/// Writes the states of a run to an NPY file (kept, n, event...) as they come, so that memory holds one
/// block of one time. Kept are the start, every `every`-th state and the last. The file appears at `finish`.
class TrajectoryFile {
 public:
  /// `to_user` carries rows to the user's units and decides their type. Argument error unless every > 0.
  TrajectoryFile(std::string path, int64_t n, int64_t steps, int64_t every,
                 std::function<Tensor(const Tensor&)> to_user);

  Observer observer();
  void finish();

 private:
  void write(const Observation& seen);

  std::string path_;
  int64_t n_, steps_, every_;
  std::function<Tensor(const Tensor&)> to_user_;
  std::optional<NpyWriter> writer_;  // opened by the first state, which has the event's shape and type
};

}  // namespace fokker::cli
