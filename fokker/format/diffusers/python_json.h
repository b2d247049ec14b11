#pragma once
#include <filesystem>
#include <string>

#include "fokker/core/text/json.h"

namespace fokker {

/// Reads JSON as Python writes it, where -Infinity, Infinity and NaN may stand for numbers: they become texts
/// of these names. Input errors name the file; a name that occurs twice is refused.
Json read_python_json(const std::filesystem::path& file);

/// The same way back, indented.
std::string python_json_text(const Json& json);

}  // namespace fokker
