#pragma once
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/text/json.h"

namespace fokker {

/// Reads typed values out of a network's configuration. A missing key or null leaves the default; a value of
/// another type is an input error that names the key.
class ConfigReader {
 public:
  explicit ConfigReader(const Json& config) : config_(config) {}

  void read(const char* key, int64_t& value) const {
    if (const Json* found = find(key, "an integer", [](const Json& j) { return j.is_number_integer(); }))
      value = found->get<int64_t>();
  }
  void read(const char* key, double& value) const {
    if (const Json* found = find(key, "a number", [](const Json& j) { return j.is_number(); }))
      value = found->get<double>();
  }
  void read(const char* key, bool& value) const {
    if (const Json* found = find(key, "true or false", [](const Json& j) { return j.is_boolean(); }))
      value = found->get<bool>();
  }
  void read(const char* key, std::string& value) const {
    if (const Json* found = find(key, "a string", [](const Json& j) { return j.is_string(); }))
      value = found->get<std::string>();
  }
  void read(const char* key, std::vector<int64_t>& value) const {
    const auto integers = [](const Json& j) {
      return j.is_array() &&
             std::all_of(j.begin(), j.end(), [](const Json& x) { return x.is_number_integer(); });
    };
    if (const Json* found = find(key, "a list of integers", integers))
      value = found->get<std::vector<int64_t>>();
  }
  void read(const char* key, std::vector<std::string>& value) const {
    const auto strings = [](const Json& j) {
      return j.is_array() && std::all_of(j.begin(), j.end(), [](const Json& x) { return x.is_string(); });
    };
    if (const Json* found = find(key, "a list of strings", strings))
      value = found->get<std::vector<std::string>>();
  }

  /// Input error unless the key is missing, null or one of `accepted`.
  void require(const char* key, std::initializer_list<Json> accepted) const {
    const auto found = config_.find(key);
    if (found == config_.end() || found->is_null()) return;
    for (const Json& value : accepted)
      if (*found == value) return;
    fail(ErrorKind::input, "network configuration: expected \"{}\" to be {} but received {}", key,
         accepted.size() ? accepted.begin()->dump() : "null", found->dump());
  }

 private:
  template <typename Test>
  const Json* find(const char* key, const char* expected, Test test) const {
    const auto found = config_.find(key);
    if (found == config_.end() || found->is_null()) return nullptr;
    check_input(test(*found), "network configuration: expected \"{}\" to be {} but received {}", key,
                expected, found->dump());
    return &*found;
  }
  const Json& config_;
};

}  // namespace fokker
