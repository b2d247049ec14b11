#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/course/problem/settings.h"
#include "fokker/course/verify/evidence.h"

namespace fokker::verify {

/// Something that a statement needs to be true. Run without it, its check must fail (a negative control).
struct Ingredient {
  std::string name;     ///< as in `fokker verify ID --without NAME`
  std::string removed;  ///< what is done instead: "the reversal leaves out div a"
};

using course::LawLimits;
using course::Setting;
using course::Settings;

/// One run of a check: its own random numbers, which ingredient is left out, and what a reader has set of its
/// problem.
class Trial {
 public:
  Trial(const struct Check& check, const Rng& rng, std::string without = {}, const course::Changes& set = {});
  const Rng& rng() const { return rng_; }
  /// Whether the named ingredient is in use. An argument error where the check does not declare it.
  bool has(std::string_view ingredient) const;
  /// The values of the check's settings.
  const Settings& settings() const { return settings_; }

 private:
  const Check& check_;
  Rng rng_;
  std::string without_;
  Settings settings_;
};

/// A theorem, identity, example or exercise, and how to measure it against its closed form. Its formula
/// stands in docs/verify.md under its id.
struct Check {
  std::string id;         ///< "s0.reversal.brownian-d2": source, topic, item
  std::string source;     ///< "S0, Theorem 12.1"
  std::string statement;  ///< one line
  std::function<void(const Trial&, Evidence&)> measure;
  std::vector<Ingredient> ingredients = {};
  std::vector<Setting> settings = {};  ///< what of its problem a reader may choose, `fokker verify ID --set`
};

/// What came of it. `error` is empty unless the check could not be carried out, which counts as failed.
struct Outcome {
  const Check* check = nullptr;
  Finding worst;
  std::vector<Finding> findings;
  std::string error;
  double seconds = 0;
  course::Changes set = {};            ///< what was set of its problem
  std::vector<std::string> left = {};  ///< what was set and is not of its problem, with the reason
  bool passed() const { return error.empty() && worst.passed; }
};

/// Measures one statement. Numbers depend on the seed, the check's id and what is set alone.
Outcome run(const Check& check, uint64_t seed, const std::string& without = {},
            const course::Changes& set = {});

}  // namespace fokker::verify
