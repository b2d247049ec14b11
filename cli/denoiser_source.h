#pragma once
#include <optional>

#include "cli/matching.h"
#include "cli/option/command.h"
#include "cli/option/data_options.h"
#include "fokker/data/dataset.h"
#include "fokker/format/model.h"

namespace fokker::cli {

/// A trained model, or a target and a process.
struct SourceOptions {
  std::string run = {}, target = {}, process = {};
  DataOptions reading = {};  ///< of the target's file and of those given beside it
};
void describe_source(Command& command, SourceOptions& options);

/// What "RUN" or "--target TARGET --process PROCESS" stands for: a denoiser in a space of its own, and the
/// way there from the user's units and back.
struct DenoiserSource {
  std::optional<Model> model;  ///< where it is a run
  std::shared_ptr<const Denoiser> denoiser;
  Normalisation normalisation;
  std::vector<int64_t> event;
  at::TensorOptions type;  ///< what the denoiser computes in
  std::vector<std::string> columns;
  LoadOptions reading = {};  ///< how files of its rows are read

  const GaussianProcess& process() const { return denoiser->process(); }
  /// Numbers in one event.
  int64_t dimension() const { return normalisation.dimension(); }
  /// Rows of a file in the denoiser's space, (n, event...). Input errors name the file where its shape is
  /// another.
  Tensor load(const std::string& file) const;
  /// From the user's units, in the type and on the device that the denoiser computes with.
  Tensor to_model(const Tensor& x) const;
  /// To the user's units; on the CPU.
  Tensor to_user(const Tensor& x) const;
  /// The same with the columns, and the schema of a table that has one.
  /// Of a conditioned model with the conditions (n, k) of the rows, in the user's units, as the columns that
  /// they are.
  Dataset to_user_rows(const Tensor& x, const Tensor& conditions = {}) const;
  /// What the denoiser is told of rows of load_matching: classes, or conditions in the network's units;
  /// undefined where there are none.
  Tensor labels_of(const Dataset& rows) const;
  /// The columns of a table with a schema that the model is always given, with those that they follow from.
  std::vector<int64_t> given_columns() const;
  /// Names of columns but for those.
  std::vector<std::string> not_given(std::vector<std::string> names) const;
  /// The denoiser with the labels of rows: of given_columns, one that has their cells, and which row each is.
  struct Told {
    std::shared_ptr<const Denoiser> denoiser;
    Tensor labels;
  };
  Told told(const Dataset& rows) const;
  /// The map of a table with a schema; null where there is none.
  const TableMap* table() const { return model ? model->table.get() : nullptr; }
  /// Shape of a row in a file: the event's, or the columns of a table with a schema.
  std::vector<int64_t> row_shape() const;
};

/// Argument error unless exactly one of `run` and `target` is given. `process` (of a target) may be empty:
/// vp.
DenoiserSource open_denoiser(const CommonOptions& common, const SourceOptions& options);

/// A file of the same kind of rows as the source's, its columns matched by name (load_columns). Labels are
/// places among the model's classes where they are used, and left out otherwise; `labels` may name a file of
/// them. Columns that the model is conditioned on become the rows' conditions, or are not asked for. Input
/// error, naming the file, where columns or the shape of a row differ.
enum class ConditionUse { left_out, used };
Dataset load_matching(const std::string& file, const DenoiserSource& source,
                      LabelUse use = LabelUse::left_out, const std::string& labels = "",
                      ConditionUse conditions = ConditionUse::used);

/// A RowError for the first row of x, (n, event...) in the denoiser's space, that its type cannot hold.
void check_range(const Tensor& x, const DenoiserSource& source);

}  // namespace fokker::cli
