#include "cli/run/run_report.h"

#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/messages.h"
#include "fokker/core/stop.h"
#include "fokker/nn/placement.h"
#include "fokker/train/run_folder.h"

namespace fokker::cli {
namespace fs = std::filesystem;
namespace {

/// The settings that reading and splitting the data depend on, as `data_options` recorded them.
TrainSettings recorded_settings(const fs::path& run, const TrainingRecord& training) {
  const fs::path file = run / "fokker.json";
  const Json& o = training.data_options;
  check_input(!o.is_null(), "it was trained without a record of its data options");
  try {
    TrainSettings s;
    o.at("path").get_to(s.data);
    s.reading = DataOptions::from_json(o);
    o.at("label_column").get_to(s.label_column);
    o.at("labels").get_to(s.labels);
    o.at("rows").get_to(s.rows);
    o.at("held_out").get_to(s.held_out);
    o.at("seed").get_to(s.common.seed);
    s.schema = o.value("schema", "");
    s.types = o.value("types", s.types);
    s.condition = o.value("condition", s.condition);
    s.stream = o.value("stream", s.stream);
    s.cache = o.value("cache", s.cache);
    return s;
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: training.data_options: {}", file.string(), error.what());
  }
}

/// The rows of a run as they were split for it. Input errors say what has changed.
Split read_split(const TrainSettings& settings, const Model& model) {
  const ModelData known = model.data();
  const Dataset data = read_data(settings, &known);
  check_input(data.event_shape() == model.row_shape(), "{}: expected rows of shape {} but it has {}",
              settings.data, shape_string(model.row_shape()), shape_string(data.event_shape()));
  const int64_t rows = model.training.rows.value_or(-1);
  check_input(data.size() == rows, "{}: expected the {} rows of the training but it has {}", settings.data,
              rows, data.size());
  return split_data(settings, data);
}

/// Rows to compare an imported model with: how its own were split is not known.
Split read_imported(const TrainSettings& settings, const Model& model) {
  const ModelData known = model.data();
  const Dataset data = read_data(settings, &known);
  check_input(data.event_shape() == model.row_shape(), "{}: expected rows of shape {} but it has {}",
              settings.data, shape_string(model.row_shape()), shape_string(data.event_shape()));
  check_input(
      model.network->knows_no_label() || data.labels.defined() || data.conditions.defined(),
      "{}: expected labels, or --labels with what each row is told, as the network knows no rows without",
      settings.data);
  return split_data(settings, data);
}

/// Fills `record.data`, or `record.why_no_data`.
void find_data(report::RunRecord& record, const ReportRequest& request) {
  if (request.data) return void(record.data = request.data);
  const bool imported =
      record.model.training.data_options.is_null() && record.model.training.more.contains("imported");
  if (!request.data_file.empty() && imported) {
    TrainSettings settings;
    settings.data = request.data_file;
    settings.labels = request.labels;
    settings.reading = request.reading;
    return void(record.data = read_imported(settings, record.model));
  }
  if (!request.data_file.empty()) {
    TrainSettings settings = recorded_settings(request.run, record.model.training);
    settings.data = request.data_file;
    if (!request.labels.empty()) settings.labels = request.labels;
    settings.reading = request.reading.or_else(settings.reading);
    return void(record.data = read_split(settings, record.model));
  }
  try {
    record.data = read_split(recorded_settings(request.run, record.model.training), record.model);
  } catch (const Error& error) {
    check_stop();
    record.why_no_data = fmt::format(
        "the rows that this run was trained on cannot be read again ({}). Name them with --data FILE.",
        error.what());
    warn(record.why_no_data);
  }
}

/// The law that the rows were drawn from, where the record names a target.
std::shared_ptr<const Distribution> known_law(const TrainingRecord& training) {
  const auto target = named_target(training.data.value_or(""));
  if (!target) return nullptr;
  const DataOptions reading = DataOptions::from_json(training.data_options);
  return target_from(*target, reading.load_options());
}

std::string configuration_text(const fs::path& run) {
  const fs::path file = run / "config.toml";
  return fs::exists(file) ? read_file(file, 1 << 20) : "";
}

}  // namespace

WrittenReport write_report(const ReportRequest& request) {
  const fs::path run(request.run);
  const RunFolder folder(run);
  report::RunRecord record{.name = fs::weakly_canonical(run).filename().string(), .model = load_model(run)};
  place(*record.model.network, parse_device(request.common.device),
        parse_precision(request.common.precision));
  record.metrics = folder.metrics();
  record.configuration = configuration_text(run);
  record.law = known_law(record.model.training);
  find_data(record, request);
  const report::Report report = make_report(record, {.seed = request.common.seed});
  const std::string file = request.out.empty() ? (run / "report.html").string() : request.out;
  report.page.save(file);
  return {file, report.summary};
}

}  // namespace fokker::cli
