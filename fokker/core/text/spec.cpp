#include "fokker/core/text/spec.h"

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"

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

const std::string* Spec::ask(const std::string& key, std::string usual) {
  const auto is_key = [&](const Asked& asked) { return asked.key == key; };
  if (std::none_of(asked_.begin(), asked_.end(), is_key)) asked_.push_back({key, std::move(usual)});
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Spec::place(const std::string& key) const {
  return fmt::format("{} {}: {}", kind_, name_, key);
}

double Spec::number(const std::string& key, double fallback, double least) {
  const std::string* given = ask(key, fmt::format("{}", fallback));
  const double value = given ? parse_real(place(key), *given) : fallback;
  check(value >= least, "{}: expected a number >= {} but received {}", place(key), least, value);
  return value;
}

int64_t Spec::integer(const std::string& key, int64_t fallback, int64_t least) {
  const std::string* given = ask(key, fmt::format("{}", fallback));
  return given ? parse_integer(place(key), *given, least) : fallback;
}

std::string Spec::text(const std::string& key, const std::string& fallback) {
  const std::string* given = ask(key, fallback);
  return given ? *given : fallback;
}

bool Spec::flag(const std::string& key, bool fallback) {
  const int64_t value = integer(key, fallback ? 1 : 0);
  check(value == 0 || value == 1, "{}: expected 0 or 1 but received {}", place(key), value);
  return value == 1;
}

void Spec::refuse_word(const std::string& key, const std::string& given,
                       const std::vector<std::string>& valid) const {
  fail(ErrorKind::argument, "{}: expected one of {} but received '{}'", place(key), join(valid), given);
}

std::string Spec::parameters() const {
  std::vector<std::string> items;
  for (const auto& [key, usual] : asked_) items.push_back(fmt::format("{}={}", key, usual));
  return join(items);
}

void Spec::finish() const {
  std::vector<std::string> valid;
  for (const auto& asked : asked_) valid.push_back(asked.key);
  for (const auto& [key, value] : values_)
    check(std::find(valid.begin(), valid.end(), key) != valid.end(), "{} '{}': unknown parameter '{}'; {}",
          kind_, name_, key, valid.empty() ? std::string("it has none") : "it has: " + join(valid));
}

void Spec::unknown_name(const std::vector<std::string>& valid) const {
  fail(ErrorKind::argument, "unknown {} '{}'; valid names: {}", kind_, name_, join(valid));
}

namespace detail {

void check_entry(const std::string& kind, const std::string& name, bool makes, bool known) {
  check(!name.empty() && name.find_first_of(":,= \t\n") == std::string::npos,
        "{}: expected a name without ':', ',', '=' or a space to register but received '{}'", kind, name);
  check(makes, "{} '{}': expected a function that makes it but received none", kind, name);
  check(!known, "{} '{}': there is one of this name already", kind, name);
}

}  // namespace detail

}  // namespace fokker
