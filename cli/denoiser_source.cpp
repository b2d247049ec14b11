#include "cli/denoiser_source.h"

#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/messages.h"
#include "fokker/data/file_rows.h"
#include "fokker/denoise/table.h"
#include "fokker/nn/placement.h"

namespace fokker::cli {
namespace {

/// Images are brought to the channels and the size that they were trained in, unless others are asked for.
DataOptions as_trained_on(DataOptions reading, const TrainingRecord& training) {
  const DataOptions then = DataOptions::from_json(training.data_options);
  if (reading.channels == 0) reading.channels = then.channels;
  if (reading.size.empty()) reading.size = then.size;
  return reading;
}

/// The rows' conditions as the model knows them: columns of the table, or those of a file of their own.
void take_given(Dataset& data, const ConditionMap& condition) {
  if (!condition.places.empty()) {
    data = take_conditions(std::move(data), condition.columns);
    return;
  }
  if (!data.conditions.defined())
    return message(fmt::format("{}: no --labels with the conditions {}: without regard to them", data.source,
                               list_columns(condition.columns)));
  check_input(data.conditions.size(1) == condition.size(),
              "{}: expected conditions of {} numbers a row, as the model has, but found {}", data.source,
              condition.size(), data.conditions.size(1));
  data.condition_columns = condition.columns;
}

DenoiserSource open_run(const CommonOptions& common, const SourceOptions& options) {
  Model model = load_model(options.run);
  const at::TensorOptions type =
      place(*model.network, parse_device(common.device), parse_precision(common.precision));
  auto denoiser = model.denoiser();
  return {.model = model,
          .denoiser = std::move(denoiser),
          .normalisation = model.normalisation,
          .event = model.event_shape(),
          .type = type,
          .columns = model.columns,
          .reading = as_trained_on(options.reading, model.training).load_options()};
}

}  // namespace

Tensor DenoiserSource::to_user(const Tensor& x) const {
  return model ? model->to_user(x) : normalisation.invert(x.cpu());
}

Dataset DenoiserSource::to_user_rows(const Tensor& x, const Tensor& conditions) const {
  Dataset rows{.values = to_user(x), .columns = columns};
  if (model) rows.schema = model->schema(), rows.format = model->format;
  if (!conditions.defined()) return rows;
  rows.conditions = conditions;
  rows.condition_columns = model->condition.columns;
  rows.condition_places = model->condition.places;
  return with_condition_columns(std::move(rows));
}

std::vector<int64_t> DenoiserSource::row_shape() const {
  return model ? model->row_shape() : event;
}

Tensor DenoiserSource::to_model(const Tensor& x) const {
  const auto kind = c10::typeMetaToScalarType(type.dtype());
  return (model ? model->to_model(x, kind) : normalisation.apply(x, kind)).to(type.device());
}

Tensor DenoiserSource::load(const std::string& file) const {
  Tensor x = to_model(load_matching(file, *this).values);
  name_rows_of(file, [&] { check_range(x, *this); });
  return x;
}

void check_range(const Tensor& x, const DenoiserSource& source) {
  const auto type = c10::typeMetaToScalarType(source.type.dtype());
  check_finite_rows(x.to(type), fmt::format("it lies beyond the range of {}, in which the model computes",
                                            type == at::kDouble ? "float64" : "float32"));
}

void describe_source(Command& command, SourceOptions& options) {
  command.option("run", options.run, "Run folder of a trained model");
  command.option("--target", options.target, "Use the exact denoiser of a known target");
  command.option("--process", options.process, "Process of the exact denoiser (default: vp)");
  describe_data(command, options.reading);
}

Tensor DenoiserSource::labels_of(const Dataset& rows) const {
  if (!rows.conditions.defined()) return rows.labels;
  return model->condition.to_model(rows.conditions, c10::typeMetaToScalarType(type.dtype()))
      .to(type.device());
}

std::vector<int64_t> DenoiserSource::given_columns() const {
  if (!table() || !model->condition.any()) return {};
  return table()->with_sources(model->condition.places);
}

std::vector<std::string> DenoiserSource::not_given(std::vector<std::string> names) const {
  for (const int64_t column : given_columns())
    std::erase(names, table()->schema().columns[static_cast<size_t>(column)].name);
  return names;
}

DenoiserSource::Told DenoiserSource::told(const Dataset& rows) const {
  const auto given = given_columns();
  if (given.empty()) return {denoiser, labels_of(rows)};
  return {std::make_shared<TableDenoiser>(
              model->network, model->spec,
              known_columns(to_model(rows.values), given, table()->schema().size()), rows.labels),
          at::arange(rows.size(), at::TensorOptions(at::kLong))};
}

Dataset load_matching(const std::string& file, const DenoiserSource& source, LabelUse use,
                      const std::string& labels, ConditionUse conditions) {
  WantedColumns wanted{.owner = "the target", .names = source.columns};
  const bool given = conditions == ConditionUse::used && source.model && source.model->condition.scale;
  if (source.model) wanted = columns_of(source.model->data());
  if (source.model && conditions == ConditionUse::left_out) wanted.names = source.model->columns;
  LoadOptions reading = source.reading;
  reading.labels_path = labels;
  Dataset data = load_columns(file, wanted, reading, use);
  if (given) take_given(data, source.model->condition);
  check_input(given || !data.conditions.defined() || conditions == ConditionUse::left_out,
              "{}: it holds conditions of {} numbers a row, but {} was trained without any", labels,
              data.conditions.defined() ? data.conditions.size(1) : 0,
              source.model ? "the model" : "a target");
  if (!given) data.conditions = Tensor();
  if (source.model) place_labels(data, source.model->label_names, use);
  check_input(data.event_shape() == source.row_shape(), "{}: expected rows of shape {} but it has {}", file,
              shape_string(source.row_shape()), shape_string(data.event_shape()));
  return data;
}

DenoiserSource open_denoiser(const CommonOptions& common, const SourceOptions& options) {
  const auto& [run, target, process, reading] = options;
  check(run.empty() != target.empty(), "expected either a run folder or --target");
  check(run.empty() || process.empty(), "process: a run has its own; expected --process with --target only");
  if (!run.empty()) return open_run(common, options);
  check(common.precision == "auto" || common.precision == "fp64",
        "precision: the exact denoiser of a target computes in fp64, but {} was asked for", common.precision);
  auto exact = std::make_unique<AnalyticDenoiser>(
      exact_denoiser(target, process_or_default(process), reading.load_options()));
  const std::vector<int64_t> event{exact->target().dimension()};
  return {.model = {},
          .denoiser = std::move(exact),
          .normalisation = Normalisation::identity(event),
          .event = event,
          .type = at::kDouble,
          .columns = default_column_names(event[0]),
          .reading = reading.load_options()};
}

}  // namespace fokker::cli
