#pragma once
#include <string>

#include "fokker/core/check.h"
#include "fokker/core/text/json.h"

/// How parts of the library read their files. Not for public headers.
namespace fokker::detail {

/// Reads required members, with input errors that name the file and the key.
class JsonReader {
 public:
  JsonReader(const Json& json, std::string file) : json_(json), file_(std::move(file)) {}
  template <typename T>
  T get(const char* key) const {
    check_input(json_.is_object() && json_.contains(key), "{}: expected a member '{}'", file_, key);
    try {
      return json_[key].get<T>();
    } catch (const Json::exception&) {
      fail(ErrorKind::input, "{}: member '{}' has the wrong type", file_, key);
    }
  }
  JsonReader at(const char* key) const {
    check_input(json_.is_object() && json_.contains(key), "{}: expected a member '{}'", file_, key);
    return JsonReader(json_[key], file_ + ": " + key);
  }
  const Json& json() const { return json_; }
  const std::string& file() const { return file_; }

 private:
  const Json& json_;
  std::string file_;
};

}  // namespace fokker::detail
