#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/evaluate/metrics.h"

namespace fokker::cli {

/// What `evaluate` says of two sets, for programs and for people; `columns` names them (any number of names:
/// the others are called by their place). The text leaves out distances and moments where
/// they were not measured.
Json comparison_json(const Comparison& comparison, const std::vector<std::string>& columns);
std::string comparison_text(const Comparison& comparison, const std::vector<std::string>& columns,
                            bool distances = true);

}  // namespace fokker::cli
