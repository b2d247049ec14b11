#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json_reader.h"
#include "fokker/format/usual_sampling.h"

namespace fokker {

/// The sampler, grid and clipping of a complete configuration (complete_scheduler_config); what is done
/// otherwise here is added to `notes`. Input errors name what no sampler here does.
UsualSampling read_sampling(const detail::JsonReader& reader, std::vector<std::string>& notes);

}  // namespace fokker
