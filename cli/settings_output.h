#pragma once
#include <string>
#include <vector>

#include "fokker/core/text/json.h"
#include "fokker/course/problem/settings.h"

/// How the settings of checks and figures are listed.
namespace fokker::cli {

/// [{"name", "meaning", "default", "range"}]
Json settings_json(const std::vector<course::Setting>& settings);
/// A line each, "--set NAME=DEFAULT: MEANING (RANGE)", after `indent` blanks.
std::string settings_text(const std::vector<course::Setting>& settings, int indent);
/// What was set, as it was given.
Json changes_json(const course::Changes& changes);

}  // namespace fokker::cli
