#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fokker {

/// A parsed specification "name" or "name:key=value,key=value": the one language for processes, targets,
/// samplers, grids, objectives and weightings (see Registry). Every parameter must be taken by somebody:
/// `finish` refuses what is left and names what was expected.
class Spec {
 public:
  /// `kind` names the thing in messages, for example "process".
  Spec(std::string_view kind, std::string_view text);

  const std::string& name() const { return name_; }
  bool has(const std::string& key) const { return values_.contains(key); }
  /// Argument errors name the kind, the name and the key. Values below `least` are refused.
  double number(const std::string& key, double fallback, double least = -infinity);
  int64_t integer(const std::string& key, int64_t fallback, int64_t least = INT64_MIN);
  std::string text(const std::string& key, const std::string& fallback);
  /// 0 or 1.
  bool flag(const std::string& key, bool fallback);
  /// One of a few words, the first of which is usual.
  template <typename Value>
  Value word(const std::string& key, const std::vector<std::pair<const char*, Value>>& values) {
    const std::string given = text(key, values.front().first);
    std::vector<std::string> names;
    for (const auto& [name, value] : values) {
      if (given == name) return value;
      names.emplace_back(name);
    }
    refuse_word(key, given, names);
  }
  /// Argument error where a parameter was given that nobody asked for; lists those asked for.
  void finish() const;
  /// Argument error that lists the valid names.
  [[noreturn]] void unknown_name(const std::vector<std::string>& valid) const;
  /// What was asked for, each with its usual value: "noise=0.1, turns=2".
  std::string parameters() const;

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  struct Asked {
    std::string key, usual;
  };
  /// Remembers the question; the value given, or null.
  const std::string* ask(const std::string& key, std::string usual);
  std::string place(const std::string& key) const;
  [[noreturn]] void refuse_word(const std::string& key, const std::string& given,
                                const std::vector<std::string>& valid) const;

  std::string kind_, name_;
  std::map<std::string, std::string> values_;
  std::vector<Asked> asked_;
};

}  // namespace fokker
