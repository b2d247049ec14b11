#pragma once
#include "fokker/process/prior_fit.h"
#include "fokker/train/recipe.h"

namespace fokker {

/// Everything that training needs, decided.
struct TrainingPlan {
  Split data;
  Normalisation normalisation;
  std::shared_ptr<const TableMap> table;  ///< of data with a schema: takes its place
  DenoiserSpec spec;
  std::unique_ptr<Network> network;            ///< as it begins, on its device
  Precision precision = Precision::automatic;  ///< as asked for; the network has what was chosen
  std::shared_ptr<const Objective> objective;
  std::string objective_name, weighting_name;  ///< "custom" and "none" for an objective that is an object
  TimeSampling times;
  TrainOptions options;
  Rng rng;
  int64_t rows = 0;    ///< that the data has, without mirror images
  bool drawn = false;  ///< rows of a known law
  double spread = 1;   ///< data_spread of the training rows in the model's space
  PriorFit prior;      ///< whether samples may start from noise alone
  std::vector<std::string> columns, label_names;
  std::string label_column;
  ConditionMap condition = {};  ///< what rows are conditioned on
  CsvFormat format;             ///< of the file that a table came from
  Json data_options;
  std::string content = {};  ///< the hashes of the rows (problem.h), where a pass over them has told
  std::vector<std::string> notes = {};     ///< what the data turned into something else
  std::vector<std::string> warnings = {};  ///< what is likely to be meant otherwise

  /// The model as it is saved, with a copy of these weights and the record so far.
  Model model(const Network& weights) const;
  /// The model with a trainer's averaged weights, and the record of its training.
  Model model(const Trainer& trainer) const;
  /// The same with the weights of the lowest held-out loss; nothing where none were kept.
  std::optional<Model> best_model(const Trainer& trainer) const;
  TrainingRecord record() const;
  /// A trainer that knows the whole problem: what a checkpoint must have in common with it.
  Trainer trainer() const;
};

/// Chooses what the recipe leaves open, here and nowhere else, and does once, small, what training and
/// sampling will do: the loss of a row and a row drawn. Everything random depends on the rng alone. Argument
/// errors say what does not fit together; input errors name the row that the model cannot hold.
TrainingPlan resolve(const Dataset& data, const Recipe& recipe, const Rng& rng);

/// The rows to train on and those held out of them; the same rng gives the same split.
Split training_split(const Dataset& data, double held_out, bool mirrored, const Rng& rng);

}  // namespace fokker
