#pragma once
#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/text/json.h"

/// How parts of the library read their JSON. Not for public headers.
namespace fokker::detail {

/// The word for a T in JSON, and whether a value is one.
template <typename T>
struct JsonKind;

template <std::integral T>
struct JsonKind<T> {
  static constexpr const char* one = std::is_signed_v<T> ? "an integer" : "an integer of 0 or more";
  static constexpr const char* many = "a list of integers";
  static bool holds(const Json& j) {
    if (j.is_number_unsigned()) return std::in_range<T>(j.get<uint64_t>());
    return j.is_number_integer() && std::in_range<T>(j.get<int64_t>());
  }
};
template <>
struct JsonKind<double> {
  static constexpr const char *one = "a number", *many = "a list of numbers";
  static bool holds(const Json& j) { return j.is_number(); }
};
template <>
struct JsonKind<bool> {
  static constexpr const char *one = "true or false", *many = "a list of true and false";
  static bool holds(const Json& j) { return j.is_boolean(); }
};
template <>
struct JsonKind<std::string> {
  static constexpr const char *one = "a string", *many = "a list of strings";
  static bool holds(const Json& j) { return j.is_string(); }
};
template <typename T>
struct JsonKind<std::vector<T>> {
  static constexpr const char* one = JsonKind<T>::many;
  static bool holds(const Json& j) {
    return j.is_array() && std::all_of(j.begin(), j.end(), JsonKind<T>::holds);
  }
};

/// Reads members of an object, which must outlive it, with input errors that name its place (a file, or what
/// it describes) and the key.
class JsonReader {
 public:
  JsonReader(const Json& json, std::string place) : json_(json), place_(std::move(place)) {}

  /// A member that must be there.
  template <typename T>
  T get(const char* key) const {
    return typed<T>(key, member(key));
  }
  /// A member that may be missing or null: then the value stays.
  template <typename T>
  void read(const char* key, T& value) const {
    const auto found = json_.find(key);
    if (found != json_.end() && !found->is_null()) value = typed<T>(key, *found);
  }
  /// Refuses a member that is neither missing, null nor one of `accepted`.
  void require(const char* key, std::initializer_list<Json> accepted) const {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return;
    for (const Json& value : accepted)
      if (*found == value) return;
    fail(ErrorKind::input, "{}: expected \"{}\" to be {} but received {}", place_, key,
         accepted.size() ? json_text(*accepted.begin()) : "null", json_text(*found));
  }
  /// The object that a member is.
  JsonReader at(const char* key) const { return {member(key), place_ + ": " + key}; }

  const Json& json() const { return json_; }
  const std::string& place() const { return place_; }

 private:
  const Json& member(const char* key) const {
    check_input(json_.is_object() && json_.contains(key), "{}: expected a member '{}'", place_, key);
    return json_[key];
  }
  template <typename T>
  T typed(const char* key, const Json& value) const {
    check_input(JsonKind<T>::holds(value), "{}: expected \"{}\" to be {} but received {}", place_, key,
                JsonKind<T>::one, json_text(value));
    return value.get<T>();
  }

  const Json& json_;
  std::string place_;
};

}  // namespace fokker::detail
