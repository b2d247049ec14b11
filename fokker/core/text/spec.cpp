#include "fokker/core/text/spec.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"

namespace fokker {
Spec::Spec(std::string_view kind, std::string_view text) : kind_(kind) {
  const auto colon = text.find(':');
  name_ = text.substr(0, colon);
  if (colon == std::string_view::npos) return;
  std::string_view rest = text.substr(colon + 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const auto equals = item.find('=');
    check(equals != std::string_view::npos && equals > 0,
          "{}: expected name:key=value,key=value but received '{}'", kind_, text);
    const bool first = values_.emplace(item.substr(0, equals), item.substr(equals + 1)).second;
    check(first, "{} '{}': {} is given twice", kind_, name_, item.substr(0, equals));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
}

double Spec::number(const std::string& key, double fallback) {
  asked_.push_back(key);
  return has(key) ? parse_real(fmt::format("{} {}: {}", kind_, name_, key), values_[key]) : fallback;
}

int64_t Spec::integer(const std::string& key, int64_t fallback) {
  asked_.push_back(key);
  return has(key) ? parse_integer(fmt::format("{} {}: {}", kind_, name_, key), values_[key]) : fallback;
}

std::string Spec::text(const std::string& key, const std::string& fallback) {
  asked_.push_back(key);
  return has(key) ? values_[key] : fallback;
}

void Spec::finish() const {
  for (const auto& [key, value] : values_)
    check(std::find(asked_.begin(), asked_.end(), key) != asked_.end(), "{} '{}': unknown parameter '{}'; {}",
          kind_, name_, key, asked_.empty() ? std::string("it has none") : "it has: " + join(asked_));
}

void Spec::unknown_name(const std::vector<std::string>& valid) const {
  fail(ErrorKind::argument, "unknown {} '{}'; valid names: {}", kind_, name_, join(valid));
}

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

}  // namespace fokker
