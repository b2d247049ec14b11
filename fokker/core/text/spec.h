#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// A parsed specification "name" or "name:key=value,key=value", as the command line writes processes, targets
/// and samplers. Every parameter must be taken by somebody: `finish` refuses what is left and names what was
/// expected.
class Spec {
 public:
  /// `kind` names the thing in messages, for example "process".
  Spec(std::string_view kind, std::string_view text);

  const std::string& name() const { return name_; }
  bool has(const std::string& key) const { return values_.contains(key); }
  double number(const std::string& key, double fallback);
  int64_t integer(const std::string& key, int64_t fallback);
  std::string text(const std::string& key, const std::string& fallback);
  /// Argument error where a parameter was given that nobody asked for; lists those asked for.
  void finish() const;
  /// Argument error that lists the valid names.
  [[noreturn]] void unknown_name(const std::vector<std::string>& valid) const;

 private:
  std::string kind_, name_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> asked_;
};

/// "a, b, c"
std::string join(const std::vector<std::string>& items);

}  // namespace fokker
