#pragma once
#include <string>
#include <vector>

namespace fokker::cli {

/// What `fokker launch` starts: this program with these arguments, so many times, as ranks of one run.
struct LaunchPlan {
  int64_t processes = 2;
  int64_t threads = 1;  ///< of each, in its environment; 0 leaves it as it is
  std::vector<std::string> arguments;
};

/// Runs them to their end and returns the worst exit code, which is the cause where others follow from it. A
/// signal that asks this process to stop is passed on. Where one ends badly the others are given a few
/// seconds, then ended. None outlives this process.
int run_processes(const LaunchPlan& plan);

}  // namespace fokker::cli
