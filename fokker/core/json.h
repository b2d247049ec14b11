#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fokker {

using Json = nlohmann::ordered_json;

}  // namespace fokker
