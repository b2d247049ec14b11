#pragma once
#include <memory>
#include <optional>

#include "fokker/core/text/spec_registry.h"
#include "fokker/objective/objective.h"
#include "fokker/objective/time_sampling.h"
#include "fokker/objective/weighting.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

/// What an objective is made from by its name.
struct ObjectiveRecipe {
  std::string objective;  ///< name, with parameters as "sliced:directions=gaussian,projections=4"
  std::string weighting;  ///< or "auto"
  TimeSampling times;
  std::string denoising_weighting;  ///< what "auto" means across noise levels
  bool labels = false;
  std::vector<int64_t> event_shape;
  /// The law of the training data in model space, made where the objective needs it.
  std::function<GaussianMixture()> data_law;
};

struct ObjectiveChoice {
  std::shared_ptr<const Objective> objective;
  /// The name that "auto" stood for, or "none" where the weights belong to the objective.
  std::string weighting = "none";
};

/// Argument errors list the valid names and parameters, and refuse a weighting for an objective that has its
/// own weights.
ObjectiveChoice make_objective(const ObjectiveRecipe& recipe);
std::vector<std::string> objective_names();
std::vector<Description> objective_descriptions();
/// Adds an objective under a name; one that takes a weighting says in its choice which it took. Argument
/// error where the name is taken.
void register_objective(const std::string& name,
                        std::function<ObjectiveChoice(Spec&, const ObjectiveRecipe&)> make,
                        const std::string& summary = "");

}  // namespace fokker
