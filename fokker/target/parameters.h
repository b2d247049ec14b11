#pragma once
#include <map>
#include <string>
#include <vector>

namespace fokker {

/// The numbers of a spec `name:key=value,key=value`, merged over a target's defaults.
class TargetParameters {
 public:
  struct Default {
    std::string key;
    double value;
    double minimum;  ///< smallest value allowed
    bool integer = false;
  };

  /// Argument error for an unknown key, a value that is no number or one below its minimum.
  TargetParameters(const std::string& name, const std::string& text, const std::vector<Default>& defaults);
  double operator[](const std::string& key) const { return values_.at(key); }
  int64_t integer(const std::string& key) const { return static_cast<int64_t>(values_.at(key)); }

 private:
  std::map<std::string, double> values_;
};

}  // namespace fokker
