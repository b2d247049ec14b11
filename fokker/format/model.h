#pragma once
#include <filesystem>
#include <memory>

#include "fokker/data/conditions.h"
#include "fokker/data/csv/csv_format.h"
#include "fokker/denoise/energy.h"
#include "fokker/format/training_record.h"
#include "fokker/format/usual_sampling.h"
#include "fokker/table/table_map.h"

namespace fokker {

/// What a model knows of the data that it was trained on.
struct ModelData {
  std::vector<std::string> columns;      ///< of a table; empty for images
  std::vector<std::string> label_names;  ///< what the data called each class; empty where it has none
  std::string label_column;              ///< of a table whose labels were a column
  TrainingRecord training;               ///< how it was trained
  std::shared_ptr<const Schema> schema = nullptr;  ///< of a table whose columns are not all plain numbers
  ConditionMap condition = {};                     ///< what rows are conditioned on
  CsvFormat format = {};                           ///< of the delimited text that it was read from
};

/// A trained model with all that is needed to use it on the user's own data.
struct Model {
  std::shared_ptr<Network> network;
  DenoiserSpec spec;
  Normalisation normalisation;
  std::vector<std::string> columns;      ///< of a table; empty for images
  std::vector<std::string> label_names;  ///< what the data called each class; empty where it has none
  std::string label_column = {};         ///< of a table whose labels were a column
  TrainingRecord training = {};          ///< how it was trained
  /// Of a table whose columns are not all plain numbers: takes the place of the normalisation.
  std::shared_ptr<const TableMap> table = nullptr;
  /// What rows are conditioned on: columns of a table that are no part of the event, or a vector beside each
  /// image. Of a table with a schema they are among `columns`, and always given.
  ConditionMap condition = {};
  /// Of the delimited text that a table was read from: its samples are written so.
  CsvFormat format = {};
  UsualSampling sampling = {};  ///< how it is sampled unless told otherwise: of an imported one
  /// Of an imported one the configurations that it came with, by file: what says the same is handed over as
  /// it was.
  Json origin = {};

  /// Rows (n, event...) of the user's, or cells of a table, in the model's space; on the CPU. What the cells
  /// of a table leave open is taken from the middle (TableMap::encode).
  Tensor to_model(const Tensor& values, at::ScalarType type = at::kFloat) const;
  /// And back; of a table with the levels nearest to x.
  Tensor to_user(const Tensor& x) const;
  /// Shape of a row of the user's: the event's, or the columns of a table with a schema.
  std::vector<int64_t> row_shape() const {
    return table ? std::vector<int64_t>{table->schema().size()} : event_shape();
  }
  std::shared_ptr<const Schema> schema() const { return table ? table->shared_schema() : nullptr; }
  /// make_denoiser of its parts.
  std::unique_ptr<Denoiser> denoiser() const { return make_denoiser(network, spec, condition.regression); }
  std::vector<int64_t> event_shape() const { return network->event_shape(); }
  ModelData data() const {
    return {columns, label_names, label_column, training, schema(), condition, format};
  }
  bool is_image() const { return network->event_shape().size() == 3; }
};

/// Refuses what `save_model` could not write, so that it is known before the work: names of columns or labels
/// that are not UTF-8. Input error.
void check_savable(const Model& model);

/// Writes a model folder. A U-Net is laid out as a Hugging Face diffusers DDPMPipeline (model_index.json,
/// unet/, scheduler/), an MLP or a network of your own in the same pattern under network/; fokker.json holds
/// the rest. Each part is put in place atomically; other files in the folder are left alone. Argument error
/// where the network's config() does not name it (Network::class_name).
void save_model(const std::filesystem::path& folder, const Model& model);

/// Reads a model folder. Input errors name the missing or wrong file. A network of your own must be
/// registered before (register_network).
Model load_model(const std::filesystem::path& folder);

/// The part of it that tells of the data; the network need not be there.
ModelData load_model_data(const std::filesystem::path& folder);

}  // namespace fokker
