#pragma once
#include <optional>
#include <string>

#include "fokker/core/text/json.h"

namespace fokker {

/// How a model is sampled where nothing else is asked for: of an imported one as its scheduler says. What is
/// empty is the library's choice.
struct UsualSampling {
  std::string sampler = {};         ///< as make_sampler reads it
  std::string grid = {};            ///< as make_grid reads it
  std::optional<double> clip = {};  ///< of the denoised estimate to [-clip, clip]; 0 never

  bool any() const { return !sampler.empty() || !grid.empty() || clip.has_value(); }
  Json to_json() const;
  /// Input error, naming the place, where a member is of another type.
  static UsualSampling from_json(const Json& json, const std::string& place);
};

}  // namespace fokker
