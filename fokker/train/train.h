#pragma once
#include "fokker/format/model.h"
#include "fokker/train/trainer.h"

namespace fokker {

/// What to train. Members left empty are chosen by the data: an MLP for tables, a U-Net for images, and by
/// the process: denoising score matching of the velocity or, where it only adds noise, of EDM's value
/// (defaults.h).
struct Recipe {
  GaussianProcess process = VariancePreserving{};
  std::optional<Prediction> prediction = {};
  std::unique_ptr<Network> network = nullptr;
  std::shared_ptr<const Objective> objective = nullptr;
  TrainOptions options = {};
  double held_out = 0.05;  ///< fraction of rows kept for the held-out loss
  TrainHooks hooks = {};
};

/// Trains on the rows of a data set, normalised as `fokker train` does by default, and returns the model with
/// averaged weights, ready for save_model or for use on data in the user's units. Labels may be any whole
/// numbers: the model keeps those that occur as `label_names`.
Model train(const Dataset& data, Recipe recipe, const Rng& rng);

}  // namespace fokker
