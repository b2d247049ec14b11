#include "fokker/train/run_status.h"

#include <unistd.h>

#include <array>

#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/leftovers.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr const char* status_name = "status.json";

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

RunStatus begin_status(int64_t steps, double minutes) {
  return {.state = "running", .steps = steps, .minutes = minutes, .process = ::getpid(), .host = host_name()};
}

void write_status(const fs::path& run, const RunStatus& status) {
  const Json json = {{"state", status.state},
                     {"steps", status.steps},
                     {"minutes", status.minutes},
                     {"process", status.process},
                     {"host", status.host}};
  write_file_atomically(run / status_name, json_text(json, 2) + "\n");
}

std::optional<RunStatus> read_status(const fs::path& run) try {
  const fs::path file = run / status_name;
  if (!fs::exists(file)) return {};
  const Json json = read_json(file);
  return RunStatus{.state = json.at("state"),
                   .steps = json.at("steps"),
                   .minutes = json.at("minutes"),
                   .process = json.at("process"),
                   .host = json.at("host")};
} catch (const Json::exception&) {
  return {};
} catch (const Error&) {
  return {};
}

bool is_running(const fs::path& run, const RunStatus& status) {
  if (status.state != "running") return false;
  return status.host != host_name() || still_runs(static_cast<pid_t>(status.process), run / status_name);
}

}  // namespace fokker
