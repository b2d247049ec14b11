#include <algorithm>
#include <array>

#include "cli/option/command.h"
#include "cli/ranks.h"
#include "cli/run/processes.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"
#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

struct LaunchOptions {
  CommonOptions common;
  int64_t processes = 0;
  std::vector<std::string> command;
};

bool says_threads(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "--threads" || argument.starts_with("--threads=");
  });
}

int run_launch(const LaunchOptions& o) {
  check(o.processes >= 1 && o.processes <= 1024, "processes: expected 1 to 1024 but received {}",
        o.processes);
  check(!o.command.empty(),
        "launch: expected a command after --, such as: fokker launch --processes 2 -- train "
        "--data points.csv --out run");
  const auto& names = shared_commands();
  check(std::find(names.begin(), names.end(), o.command[0]) != names.end(),
        "launch: several processes cannot share the work of '{}'; expected one of: {}", o.command[0],
        join(names));
  const int64_t cores = o.common.threads > 0 ? o.common.threads : available_cores();
  return run_processes({.processes = o.processes,
                        .threads = says_threads(o.command) ? 0 : std::max<int64_t>(1, cores / o.processes),
                        .arguments = o.command});
}

}  // namespace

void add_launch(CommandLine& line) {
  add_command<LaunchOptions>(
      line,
      {"launch", "Run a command in several processes on this machine, which share its work",
       "fokker launch --processes 2 -- train --data points.csv --out run"},
      [](Command& c, LaunchOptions& o) {
        c.option("--processes", o.processes, "How many; the cores (or --threads) are divided among them");
        c.repeated("command", o.command,
                   "After --: a command with its options, one of: " + join(shared_commands()));
      },
      [](const LaunchOptions& o, const Command&) { return run_launch(o); });
}

}  // namespace fokker::cli
