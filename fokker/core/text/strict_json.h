#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "fokker/core/text/json.h"

namespace fokker {

/// What a text from outside may hold at most.
struct JsonLimits {
  int depth = 64;                                          ///< objects and arrays inside one another
  size_t members = std::numeric_limits<size_t>::max();     ///< of one object
  size_t items = std::numeric_limits<size_t>::max();       ///< of one array
  size_t name_bytes = std::numeric_limits<size_t>::max();  ///< of a member's name
};

/// Parses JSON, refusing what the library underneath lets pass: names that occur twice in one object (the
/// last one would be kept), and with `limits` what only serves to eat memory. Input errors begin with
/// `place`. `Value` is Json, or nlohmann::json for objects of very many members (Json searches a list).
template <typename Value>
Value parse_strict_json(const std::string& text, const std::string& place, const JsonLimits& limits = {});

}  // namespace fokker
