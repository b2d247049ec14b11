#include "fokker/format/model.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/file/manifest.h"
#include "fokker/core/file/replacement.h"
#include "fokker/core/file/shown.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/core/version.h"
#include "fokker/format/diffusers/pipeline_files.h"
#include "fokker/format/diffusers/scheduler.h"
#include "fokker/format/network_folder.h"
#include "fokker/nn/table/table_network.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace fs = std::filesystem;
using detail::JsonReader;
namespace {

constexpr const char* description_file = "fokker.json";
constexpr int format_version = 1;

/// Whether diffusers knows the network: others of images are written as those of tables.
bool is_unet(const Model& model) {
  return is_unet_class(model.network->class_name());
}

std::string part_name(const Model& model) {
  return is_unet(model) ? "unet" : "network";
}

Json description(const Model& model) {
  Json json = {
      {"format", format_version}, {"fokker_version", library_version()}, {"network", part_name(model)}};
  json.update(model.spec.to_json());
  json.update({{"normalisation", model.normalisation.to_json()},
               {"columns", model.columns},
               {"label_names", model.label_names},
               {"label_column", model.label_column},
               {"training", model.training.to_json()}});
  if (model.table) json["table"] = model.table->to_json();
  if (model.condition.any()) json["condition"] = model.condition.to_json();
  if (model.format != CsvFormat()) json["file_format"] = model.format.to_json();
  if (model.sampling.any()) json["sampling"] = model.sampling.to_json();
  if (!model.origin.is_null()) json["origin"] = model.origin;
  return json;
}

/// The map of a table to the space of its network; null where the model has none.
std::shared_ptr<const TableMap> read_table(const JsonReader& reader, const Network& network,
                                           const std::string& file) {
  const auto* function = dynamic_cast<const TableFunction*>(&network);
  const bool has = reader.json().contains("table");
  check_input(has == (function != nullptr),
              "{}: expected \"table\" where, and only where, the network is a table's", file);
  if (!has) return nullptr;
  return std::make_shared<const TableMap>(
      TableMap::from_json(reader.at("table").json(), function->space().layout(), file));
}

/// What rows are conditioned on, as the network and the columns want it; none where there is nothing.
ConditionMap read_condition(const JsonReader& reader, const std::string& file) {
  return reader.json().contains("condition") ? ConditionMap::from_json(reader.json()["condition"], file)
                                             : ConditionMap();
}

void check_condition(const Model& model, const std::string& file) {
  const ConditionMap& condition = model.condition;
  const int64_t vector = condition.scale ? condition.size() : 0;
  check_input(model.network->condition_size() == vector && condition.scale.has_value() == (vector > 0) &&
                  (!condition.any() || vector > 0 || model.table),
              "{}: condition: expected {} numbers, as the network has, but found {}", file,
              model.network->condition_size(), vector);
  const auto events = model.event_shape();
  check_input(!condition.regression.defined() ||
                  (!model.spec.is_energy() && events == std::vector<int64_t>{condition.regression.size(0)}),
              "{}: condition: regression: expected one of rows of shape {} but found {} rows", file,
              shape_string(events), condition.regression.defined() ? condition.regression.size(0) : 0);
  const auto all = static_cast<int64_t>(model.columns.size()) + (model.table ? 0 : condition.size());
  for (const int64_t place : condition.places)
    check_input(
        place >= 0 && place < all && std::count(condition.places.begin(), condition.places.end(), place) == 1,
        "{}: condition: places: expected different ones of {} columns but found {}", file, all, place);
}

/// Older folders named text labels only; other classes were the numbers from 0 on.
std::vector<std::string> read_label_names(const JsonReader& reader, int64_t classes) {
  auto names = reader.get<std::vector<std::string>>("label_names");
  if (names.empty())
    for (int64_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  check_input(std::ssize(names) >= classes,
              "{}: label_names: expected a name for each of {} classes but found {}", reader.place(), classes,
              names.size());
  names.resize(static_cast<size_t>(classes));
  return names;
}

/// Older folders have it among the options of the training only.
std::string read_label_column(const JsonReader& reader) {
  if (reader.json().contains("label_column")) return reader.get<std::string>("label_column");
  const Json options = TrainingRecord::from_json(reader.at("training").json()).data_options;
  return options.is_object() && options.contains("label_column") && options["label_column"].is_string()
             ? options["label_column"].get<std::string>()
             : "";
}

/// Older folders have none.
CsvFormat read_format(const JsonReader& reader) {
  return reader.json().contains("file_format")
             ? CsvFormat::from_json(reader.at("file_format").json(), reader.place() + ": file_format")
             : CsvFormat();
}

/// Writes all of a model, and last what its files are.
void fill_model_folder(const fs::path& folder, const Model& model) {
  const std::string part = part_name(model);
  std::vector<std::string> files;
  for (const std::string& name : save_network(folder / part, *model.network))
    files.push_back(fmt::format("{}/{}", part, name));
  write_file_atomically(folder / description_file, json_text(description(model), 2) + "\n");
  files.emplace_back(description_file);
  if (is_unet(model))
    for (std::string& name : write_pipeline_files(folder, model)) files.push_back(std::move(name));
  write_manifest(folder, files);
}

/// What a model there consists of, which another takes the place of: what this one has, and of the other
/// parts those that the manifest of that one names. (A file may say anything: nothing else goes.)
std::vector<std::string> replaced_by(const Model& model, const fs::path& folder) {
  std::vector<std::string> names = {description_file, manifest_name, part_name(model)};
  if (is_unet(model)) names.insert(names.end(), {"scheduler", "model_index.json"});
  const std::vector<std::string> files = manifest_files(folder);
  for (const std::string part : {"network", "unet", "scheduler", "model_index.json"}) {
    const bool there = std::any_of(files.begin(), files.end(), [&](const std::string& file) {
      return fs::path(file).begin()->string() == part;
    });
    if (there && std::find(names.begin(), names.end(), part) == names.end()) names.push_back(part);
  }
  return names;
}

/// Of the folder's manifest, which changes with every model that is put there.
std::string written_state(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / manifest_name, error) ? read_file(folder / manifest_name) : "";
}

/// A model may be replaced while it is read, in several steps: then it is read again.
template <typename Read>
auto read_whole(const fs::path& folder, Read read) {
  constexpr int most_attempts = 50;
  for (int attempt = 1;; ++attempt) {
    finish_replacement(folder);
    const std::string before = written_state(folder);
    const auto changed = [&] { return is_replacing(folder) || written_state(folder) != before; };
    try {
      auto result = read();
      if (attempt == most_attempts || !changed()) return result;
    } catch (const Error&) {
      if (attempt == most_attempts || !changed()) throw;
    }
  }
}

Model read_model(const fs::path& folder) {
  const fs::path file = folder / description_file;
  check_input(fs::exists(file), "{}: not a run folder: it has no fokker.json", folder.string());
  // Earlier versions replaced the network on its own.
  for (const char* network : {"network", "unet"}) recover_folder(folder / network);
  if (!check_manifest(folder))
    message_once(fmt::format("{}: it has no {}: its files carry no checksums, and damage would go unseen",
                             folder.string(), manifest_name));
  const Json json = read_json(file);
  const JsonReader reader(json, file.string());
  const int format = reader.get<int>("format");
  check_input(format == format_version, "{}: expected format {} but it has {}", file.string(), format_version,
              format);
  const auto part = reader.get<std::string>("network");
  check_input(part == "unet" || part == "network", "{}: unknown network folder '{}'", file.string(), part);
  Model model{.network = load_network(folder / part),
              .spec = DenoiserSpec::from_json(json, file.string()),
              .normalisation = Normalisation::from_json(reader.at("normalisation").json()),
              .columns = reader.get<std::vector<std::string>>("columns"),
              .label_names = {},
              .label_column = read_label_column(reader),
              .training = TrainingRecord::from_json(reader.at("training").json())};
  model.label_names = read_label_names(reader, model.network->classes());
  model.table = read_table(reader, *model.network, file.string());
  model.condition = read_condition(reader, file.string());
  check_condition(model, file.string());
  model.format = read_format(reader);
  if (json.contains("sampling"))
    model.sampling = UsualSampling::from_json(json["sampling"], file.string() + ": sampling");
  if (json.contains("origin")) model.origin = json["origin"];
  return model;
}

ModelData read_model_data(const fs::path& folder) {
  const fs::path file = folder / description_file;
  check_manifest(folder, description_file);
  const Json json = read_json(file);
  const JsonReader reader(json, file.string());
  ModelData data{.columns = reader.get<std::vector<std::string>>("columns"),
                 .label_names = reader.get<std::vector<std::string>>("label_names"),
                 .label_column = read_label_column(reader),
                 .training = TrainingRecord::from_json(reader.at("training").json())};
  data.condition = read_condition(reader, file.string());
  data.format = read_format(reader);
  if (json.contains("table"))
    data.schema = std::make_shared<const Schema>(
        Schema::from_json(reader.at("table").at("schema").json(), file.string()));
  const Json& network = data.training.network;
  if (network.is_object()) data.label_names = read_label_names(reader, make_network(network, 0)->classes());
  return data;
}

}  // namespace

Tensor Model::to_model(const Tensor& values, at::ScalarType type) const {
  return table ? table->encode(values).x.to(type) : normalisation.apply(values, type);
}

Tensor Model::to_user(const Tensor& x) const {
  const Tensor rows = x.to(at::kCPU);
  return table ? table->decode({rows, table->nearest_levels(rows)}) : normalisation.invert(rows);
}

void check_savable(const Model& model) {
  for (const std::string& column : model.columns) check_utf8(column, "the name of a column");
  for (const std::string& column : model.condition.columns) check_utf8(column, "the name of a column");
  for (const std::string& label : model.label_names) check_utf8(label, "the name of a label");
  json_text(description(model));
  json_text(model.network->config());
  if (const auto scheduler = is_unet(model) ? scheduler_config(model) : std::nullopt) json_text(*scheduler);
}

void save_model(const fs::path& folder, const Model& model) try {
  check_savable(model);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorKind::resource, "{}: cannot create the folder: {}", folder.string(), error.message());
  finish_replacement(folder);
  recover_contents(folder);
  Unfinished staged(temporary_beside(folder / "model"));
  with_errors_of(folder, staged.path(), [&] { fill_model_folder(staged.path(), model); });
  replace_entries(folder, staged, replaced_by(model, folder));
} catch (...) {
  detail::throw_as_error();
}

Model load_model(const fs::path& folder) try {
  check_input(fs::exists(folder), "{}: no such run folder", folder.string());
  check_input(fs::is_directory(folder), "{}: expected a run folder but it is a file", folder.string());
  return read_whole(folder, [&] { return read_model(folder); });
} catch (...) {
  detail::throw_as_error();
}

ModelData load_model_data(const fs::path& folder) try {
  return read_whole(folder, [&] { return read_model_data(folder); });
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
