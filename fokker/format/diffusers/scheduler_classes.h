#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"

namespace fokker {

/// The schedulers of diffusers that are read, by class.
std::vector<std::string> scheduler_class_names();

/// A configuration with the defaults of its class (diffusers 0.42) for the keys that it leaves out. Input
/// error that names `place` and the classes that are read for another.
Json complete_scheduler_config(const Json& config, const std::string& place);

}  // namespace fokker
