#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker::bench {

/// "key=value" settings of a case, as both sides receive them.
class Settings {
 public:
  explicit Settings(const std::vector<std::string>& words);
  std::string text(const std::string& key, const std::string& otherwise) const;
  int64_t number(const std::string& key, int64_t otherwise) const;
  double real(const std::string& key, double otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

/// One unit of work, prepared; `run` does it once.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run() = 0;
  /// What the peer must agree with, from the last run.
  virtual Tensor result() const = 0;
  /// Of the network's products, where there is one: "fp32" or "bf16".
  virtual std::string precision() const { return "fp32"; }
};

struct Case {
  std::string name;
  /// Prepares the work and writes what the peer needs to do the same into `folder`, as .npy files.
  std::function<std::unique_ptr<Work>(const Settings& settings, const std::filesystem::path& folder)> prepare;
};

/// Each is defined in the file of its name.
std::vector<Case> mlp_cases();
std::vector<Case> unet_cases();
std::vector<Case> exact_denoiser_cases();
std::vector<Case> normals_cases();

}  // namespace fokker::bench
