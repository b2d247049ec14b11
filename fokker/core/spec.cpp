#include "fokker/core/spec.h"

#include <algorithm>
#include <charconv>

#include "fokker/core/error.h"

namespace fokker {
namespace {

template <typename Number>
Number parse(const std::string& kind, const std::string& key, const std::string& text, const char* expected) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), "{}: {}: expected {} but received '{}'",
        kind, key, expected, text);
  return value;
}

}  // namespace

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
    values_[std::string(item.substr(0, equals))] = item.substr(equals + 1);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
}

double Spec::number(const std::string& key, double fallback) {
  asked_.push_back(key);
  return has(key) ? parse<double>(kind_, key, values_[key], "a number") : fallback;
}

int64_t Spec::integer(const std::string& key, int64_t fallback) {
  asked_.push_back(key);
  return has(key) ? parse<int64_t>(kind_, key, values_[key], "an integer") : fallback;
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
