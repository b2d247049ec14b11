#pragma once
#include <memory>
#include <vector>

#include "fokker/target/distribution.h"
#include "fokker/target/parameters.h"

namespace fokker {

/// One built-in target: how it is described and made.
struct TargetEntry {
  std::string name;
  std::string summary;
  std::vector<TargetParameters::Default> defaults;
  std::function<std::unique_ptr<Distribution>(const TargetParameters&)> make;
};

/// Gaussian mixtures with a name.
std::vector<TargetEntry> mixture_targets();
/// Planar shapes with an exact sampler.
std::vector<TargetEntry> shape_targets();
/// Energies: log density and score.
std::vector<TargetEntry> energy_targets();

}  // namespace fokker
