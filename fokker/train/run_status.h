#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace fokker {

/// What a run says of itself in status.json, for whoever looks at it from another process.
struct RunStatus {
  std::string state = "running";  ///< running, completed, early, stopped, diverged or failed
  int64_t steps = 0;              ///< planned
  double minutes = 0;             ///< planned instead, where positive
  int64_t process = 0;
  std::string host = {};
};

/// Of this process and machine.
RunStatus begin_status(int64_t steps, double minutes);
void write_status(const std::filesystem::path& run, const RunStatus& status);
/// Nothing where the run has none or one that cannot be read: of an earlier version.
std::optional<RunStatus> read_status(const std::filesystem::path& run);
/// Whether the run goes on. A process that was killed has left "running"; of another machine's that cannot be
/// seen.
bool is_running(const std::filesystem::path& run, const RunStatus& status);

}  // namespace fokker
