#pragma once
#include <string>
#include <vector>

#include "cli/option/data_options.h"
#include "fokker/core/random/rng.h"

/// `fokker simulate --sde`: a diffusion that a reader wrote.
namespace fokker::cli {

struct WrittenRun {
  std::string text, direction, target;
  double end = 1;
  bool without_divergence = false;
  int64_t n = 0, steps = 0;
};

/// Every state, (steps + 1, n, d), at times in the diffusion's own time, and how p_t was found (empty:
/// forward).
struct WrittenPaths {
  Tensor states;
  std::vector<double> times;
  std::string method;
};

/// Argument errors before the work: the text, the target, and what cannot be reversed.
WrittenPaths simulate_written(const WrittenRun& run, const LoadOptions& reading, const Rng& rng);

}  // namespace fokker::cli
