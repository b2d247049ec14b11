#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/core/text/json.h"

namespace fokker {

/// How a model was trained: "training" of fokker.json, which reports and `inspect` show. What a file of an
/// earlier version or of another program does not say is empty.
struct TrainingRecord {
  std::optional<std::string> data = {};                  ///< where the rows came from
  std::optional<int64_t> rows = {};                      ///< without mirror images
  std::optional<int64_t> held_out_rows = {};             ///< of these
  std::optional<std::vector<int64_t>> event_shape = {};  ///< of a row
  std::optional<int64_t> classes = {};                   ///< 0 without labels
  Json process = {};                                     ///< configuration of the schedule
  Json prior = {};                                       ///< how the prior fits (PriorFit::to_json)
  std::optional<double> data_spread = {};                ///< data_spread of the rows in the model's space
  std::optional<std::string> prediction = {};            ///< or "energy"
  std::optional<std::string> objective = {};             ///< by name
  std::optional<std::string> weighting = {};             ///< by name; "none" where the objective has its own
  Json network = {};                                     ///< its configuration
  std::optional<int64_t> parameters = {};                ///< numbers in the network
  std::optional<int64_t> steps = {};                     ///< planned
  std::optional<double> minutes = {};                    ///< planned instead, where positive
  std::optional<int64_t> batch = {};                     ///< rows a step
  std::optional<double> learning_rate = {};              ///< at its peak
  std::optional<double> ema_decay = {};                  ///< of the average of the weights
  std::optional<uint64_t> seed = {};
  Json data_options = {};  ///< how the rows are read and split: {"path", "held_out", "seed", ...}
  Json machine = {};       ///< fokker::machine()
  std::optional<int64_t> steps_done = {};
  std::optional<double> seconds = {};
  std::optional<double> held_out_loss = {};  ///< of these weights, where they were kept for it
  Json incidents = {};         ///< what training did where its loss was not finite, and how often
  Json more = Json::object();  ///< members that are none of these, or of another type

  /// What is empty is left out.
  Json to_json() const;
  /// Never refuses: what is no object is an empty record.
  static TrainingRecord from_json(const Json& json);
};

/// What was recorded of the spread of the data; 1, as of standardised rows, where nothing was.
double recorded_spread(const TrainingRecord& record);

}  // namespace fokker
