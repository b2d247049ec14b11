#pragma once
#include "fokker/format/model.h"

namespace fokker {

/// What a scheduler's configuration says of the network that it samples.
struct ImportedScheduler {
  DenoiserSpec spec;
  std::vector<std::string> notes = {};  ///< what is not taken over
};

/// Reads scheduler_config.json: missing keys have the defaults of its class. Input errors name `place` and
/// what cannot be represented.
ImportedScheduler read_scheduler(const Json& config, const std::string& place);

}  // namespace fokker
