#include "fokker/target/parameters.h"

#include <cmath>
#include <sstream>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"

namespace fokker {
TargetParameters::TargetParameters(const std::string& name, const std::string& text,
                                   const std::vector<Default>& defaults) {
  std::string valid;
  for (const auto& item : defaults) {
    values_[item.key] = item.value;
    valid += (valid.empty() ? "" : ", ") + item.key;
  }
  std::istringstream pieces(text);
  for (std::string piece; std::getline(pieces, piece, ',');) {
    const auto equals = piece.find('=');
    check(equals != std::string::npos, "{}: expected key=value but received '{}'", name, piece);
    const std::string key = piece.substr(0, equals);
    const double value = parse_real(name + ": " + key, piece.substr(equals + 1));
    bool known = false;
    for (const auto& item : defaults) {
      if (item.key != key) continue;
      known = true;
      check(value >= item.minimum && !(item.integer && value != std::floor(value)),
            "{}: {}: expected {} >= {} but received {}", name, key, item.integer ? "an integer" : "a number",
            item.minimum, value);
    }
    check(known, "{}: unknown parameter '{}'; valid: {}", name, key, valid.empty() ? "none" : valid);
    values_[key] = value;
  }
}

}  // namespace fokker
