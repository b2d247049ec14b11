#pragma once
#include <variant>

#include "fokker/core/device.h"
#include "fokker/format/model.h"
#include "fokker/target/distribution.h"
#include "fokker/train/defaults.h"
#include "fokker/train/trainer.h"

namespace fokker {

/// What to train. What is left as it is `resolve` chooses: by the data an MLP for tables or a U-Net for
/// images and how large a batch is, by the process what is predicted, at which times and with which weights.
struct Recipe {
  std::optional<GaussianProcess> process = {};  ///< variance preserving where not given
  std::optional<Prediction> prediction = {};
  bool energy = false;  ///< learn an energy in place of a prediction (EnergyDenoiser); of tables

  std::unique_ptr<Network> network = nullptr;  ///< of the program's own; a copy is trained
  /// A trained model to go on from: its weights, specification, normalisation and labels are kept.
  std::shared_ptr<const Model> warm_start = nullptr;
  MlpOptions mlp = undecided_mlp();  ///< of a table's MLP, but for the sizes of the data and `energy`
  int64_t unet_channels = 0;         ///< of the first level of the images' U-Net; 0 chooses

  /// A name with parameters such as "sliced:projections=4" (objective_names), or an object.
  std::variant<std::string, std::shared_ptr<const Objective>> objective = "denoising";
  std::string weighting = "auto";          ///< by name, of an objective that is given by its name
  std::optional<TimeSampling> times = {};  ///< the same

  NormalisationKind normalisation = NormalisationKind::standardise;  ///< of a table
  bool labels = true;  ///< learn classes where the data has labels
  /// Columns of a table that the others are learned given: p(others | these). Data that has conditions
  /// already (Dataset::conditions) needs none named.
  std::vector<std::string> condition = {};
  double held_out = 0.05;  ///< fraction of rows kept for the held-out loss; at most 10,000 rows are
  bool mirrored = false;   ///< train on the mirror images of the training images too
  /// That the rows were drawn from, where it is known: the objective "explicit" uses it, and a resumed run
  /// compares the name of the data in place of its content, which differs from machine to machine.
  std::shared_ptr<const Distribution> law = nullptr;
  Json data_options = {};  ///< for the record: how a later report finds the rows again

  TrainOptions options = TrainOptions::undecided();  ///< 0 chooses
  Precision precision = Precision::automatic;
  at::Device device = at::kCPU;
  int64_t threads = 0;  ///< of tensor operations while it trains; 0 leaves them as they are
  TrainHooks hooks = {};
};

}  // namespace fokker
