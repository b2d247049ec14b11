#pragma once
#include <memory>
#include <vector>

#include "fokker/core/text/spec_registry.h"
#include "fokker/target/distribution.h"

namespace fokker {

using TargetRegistry = Registry<std::unique_ptr<Distribution>>;

/// Gaussian mixtures with a name.
std::vector<TargetRegistry::Entry> mixture_targets();
/// Planar shapes with an exact sampler.
std::vector<TargetRegistry::Entry> shape_targets();
/// Energies: log density and score.
std::vector<TargetRegistry::Entry> energy_targets();

}  // namespace fokker
