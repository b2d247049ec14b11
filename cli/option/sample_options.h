#pragma once
#include "cli/option/data_options.h"
#include "fokker/denoise/guidance.h"

namespace fokker::cli {

/// The options of `fokker sample` as typed. Zero and the empty text mean: choose.
struct SampleOptions {
  CommonOptions common;
  DataOptions reading;  ///< of a target's file
  WritingOptions writing;
  std::string run, target, process, out, sampler, grid, trajectory, trajectory_times, label, start;
  std::string guide, guidance_interval;
  std::vector<std::string> given;  ///< "COLUMN=VALUE"
  std::string given_file;
  int64_t n = 0, steps = 0, batch = 0, trajectory_every = 1;
  double timeout = 60, guidance = 1.0, clip = -1.0, step_size = 0.0;
};

void describe_options(Command& command, SampleOptions& options);

/// Refuses what makes no sense together, what would do nothing, and an output that cannot be written.
void check_options(const SampleOptions& options, const Command& command);

/// The noise levels "LOW..HIGH", "LOW.." or "..HIGH" of --guidance-interval; all where nothing was typed.
GuidanceInterval guidance_interval(const SampleOptions& options);

/// A target on its own is drawn from, without a process.
bool drawn_directly(const SampleOptions& options);

}  // namespace fokker::cli
