#pragma once
#include <memory>
#include <optional>

#include "fokker/objective/objective.h"
#include "fokker/objective/time_sampling.h"
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
  std::string weighting;  ///< the name that "auto" stood for, or "none"
};

ObjectiveChoice make_objective(const ObjectiveRecipe& recipe);
std::vector<std::string> objective_names();

}  // namespace fokker
