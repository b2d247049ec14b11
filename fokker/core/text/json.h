#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fokker {

using Json = nlohmann::ordered_json;

/// JSON as text, on one line or, with `indent` >= 0, indented. Bytes of strings that are not UTF-8 (a file's
/// path may hold any) become U+FFFD, so that nothing fails once the work is done; what must be read back is
/// checked where it enters.
inline std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace fokker
