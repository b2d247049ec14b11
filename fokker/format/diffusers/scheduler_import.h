#pragma once
#include "fokker/denoise/spec.h"
#include "fokker/format/usual_sampling.h"

namespace fokker {

/// What a scheduler's configuration says of the network that it samples, and how it samples it.
struct ImportedScheduler {
  DenoiserSpec spec;
  UsualSampling sampling = {};
  std::vector<std::string> notes = {};  ///< what is done otherwise here
};

/// Reads a scheduler_config.json: missing keys have the defaults of its class. Input errors name `place` and
/// what cannot be represented.
ImportedScheduler read_scheduler(const Json& config, const std::string& place);

}  // namespace fokker
