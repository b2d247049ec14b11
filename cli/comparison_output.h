#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/evaluate/metrics.h"

namespace fokker::cli {

/// What `evaluate` says of two sets, for programs and for people; `columns` names them (any number of names:
/// the others are called by their place).
Json comparison_json(const Comparison& comparison, const std::vector<std::string>& columns);
std::string comparison_text(const Comparison& comparison, const std::vector<std::string>& columns);

}  // namespace fokker::cli
