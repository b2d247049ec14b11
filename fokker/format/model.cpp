#include "fokker/format/model.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/text.h"
#include "fokker/core/version.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/scheduler.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr const char* weights_file = "diffusion_pytorch_model.safetensors";
constexpr int format_version = 1;

/// Whether diffusers knows the network: others of images are written as those of tables.
bool is_unet(const Model& model) {
  return model.network->class_name() == "UNet2DModel";
}

std::string part_name(const Model& model) {
  return is_unet(model) ? "unet" : "network";
}

Json description(const Model& model) {
  const auto& options = model.denoiser_options;
  const bool by_time = options.time_input.kind == TimeInput::Kind::time;
  return {{"format", format_version},
          {"fokker_version", library_version()},
          {"network", part_name(model)},
          {"process", model.process.schedule()->config()},
          {"prediction", {{"name", model.prediction_name()}, {"sigma_data", model.prediction.sigma_data()}}},
          {"time_input",
           {{"kind", by_time ? "time" : "quarter_log_sigma"},
            {"scale", options.time_input.scale},
            {"offset", options.time_input.offset}}},
          {"scale_input", options.scale_input},
          {"sigma_data", options.sigma_data},
          {"normalisation", model.normalisation.to_json()},
          {"columns", model.columns},
          {"label_names", model.label_names},
          {"label_column", model.label_column},
          {"training", model.training}};
}

/// Reads required members with an error that names the file and the key.
class Reader {
 public:
  Reader(const Json& json, std::string file) : json_(json), file_(std::move(file)) {}
  template <typename T>
  T get(const char* key) const {
    check_input(json_.is_object() && json_.contains(key), "{}: expected a member '{}'", file_, key);
    try {
      return json_[key].get<T>();
    } catch (const Json::exception&) {
      fail(ErrorKind::input, "{}: member '{}' has the wrong type", file_, key);
    }
  }
  Reader at(const char* key) const {
    check_input(json_.is_object() && json_.contains(key), "{}: expected a member '{}'", file_, key);
    return Reader(json_[key], file_ + ": " + key);
  }
  const Json& json() const { return json_; }
  const std::string& file() const { return file_; }

 private:
  const Json& json_;
  std::string file_;
};

TimeInput read_time_input(const Reader& reader) {
  const auto kind = reader.get<std::string>("kind");
  check_input(kind == "time" || kind == "quarter_log_sigma", "fokker.json: unknown time input '{}'", kind);
  return {kind == "time" ? TimeInput::Kind::time : TimeInput::Kind::quarter_log_sigma,
          reader.get<double>("scale"), reader.get<double>("offset")};
}

std::shared_ptr<Network> read_network(const fs::path& folder) {
  recover_folder(folder);
  std::shared_ptr<Network> network = make_network(read_json(folder / "config.json"), 0);
  try {
    network->load(load_safetensors(folder / weights_file).tensors);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::argument)
      fail(ErrorKind::input, "{}: {}", (folder / weights_file).string(), error.what());
    throw;
  }
  network->set_requires_grad(false);
  return network;
}

/// Older folders named text labels only; other classes were the numbers from 0 on.
std::vector<std::string> read_label_names(const Reader& reader, int64_t classes) {
  auto names = reader.get<std::vector<std::string>>("label_names");
  if (names.empty())
    for (int64_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  check_input(std::ssize(names) >= classes,
              "{}: label_names: expected a name for each of {} classes but found {}", reader.file(), classes,
              names.size());
  names.resize(static_cast<size_t>(classes));
  return names;
}

/// Older folders have it among the options of the training only.
std::string read_label_column(const Reader& reader) {
  if (reader.json().contains("label_column")) return reader.get<std::string>("label_column");
  const Json& training = reader.at("training").json();
  const Json options = training.is_object() ? training.value("data_options", Json()) : Json();
  return options.is_object() && options.contains("label_column") && options["label_column"].is_string()
             ? options["label_column"].get<std::string>()
             : "";
}

/// What diffusers needs beside unet/ to sample it; where it has nothing that is true, nothing is left there.
void save_pipeline(const fs::path& folder, const Model& model) {
  std::error_code ignored;
  const std::optional<Json> scheduler = scheduler_config(model);
  if (scheduler)
    write_folder_atomically(folder / "scheduler", [&](const fs::path& temporary) {
      write_file_atomically(temporary / "scheduler_config.json", json_text(*scheduler, 2) + "\n");
    });
  else
    fs::remove_all(folder / "scheduler", ignored);
  if (!scheduler || !suits_pipeline(*scheduler))
    return void(fs::remove(folder / "model_index.json", ignored));
  const Json index = {{"_class_name", "DDPMPipeline"},
                      {"_diffusers_version", "0.30.0"},
                      {"unet", {"diffusers", "UNet2DModel"}},
                      {"scheduler", {"diffusers", (*scheduler)["_class_name"]}}};
  write_file_atomically(folder / "model_index.json", json_text(index, 2) + "\n");
}

}  // namespace

void check_savable(const Model& model) {
  for (const std::string& column : model.columns) check_utf8(column, "the name of a column");
  for (const std::string& label : model.label_names) check_utf8(label, "the name of a label");
  json_text(description(model));
  json_text(model.network->config());
  if (const auto scheduler = is_unet(model) ? scheduler_config(model) : std::nullopt) json_text(*scheduler);
}

void save_model(const fs::path& folder, const Model& model) try {
  check_savable(model);
  const std::string part = part_name(model);
  write_folder_atomically(folder / part, [&](const fs::path& temporary) {
    write_file_atomically(temporary / "config.json", json_text(model.network->config(), 2) + "\n");
    save_safetensors(temporary / weights_file, model.network->parameters(), {{"format", "pt"}});
  });
  if (is_unet(model)) save_pipeline(folder, model);
  write_file_atomically(folder / "fokker.json", json_text(description(model), 2) + "\n");
} catch (...) {
  detail::throw_as_error();
}

Model load_model(const fs::path& folder) try {
  check_input(fs::exists(folder), "{}: no such run folder", folder.string());
  check_input(fs::is_directory(folder), "{}: expected a run folder but it is a file", folder.string());
  const fs::path file = folder / "fokker.json";
  check_input(fs::exists(file), "{}: not a run folder: it has no fokker.json", folder.string());
  const Json json = read_json(file);
  const Reader reader(json, file.string());
  const int format = reader.get<int>("format");
  check_input(format == format_version, "{}: expected format {} but it has {}", file.string(), format_version,
              format);
  const Reader prediction = reader.at("prediction");
  const auto part = reader.get<std::string>("network");
  check_input(part == "unet" || part == "network", "{}: unknown network folder '{}'", file.string(), part);
  const auto prediction_name = prediction.get<std::string>("name");
  const bool energy = prediction_name == "energy";
  Model model{.network = read_network(folder / part),
              .process = schedule_from_config(reader.at("process").json()),
              .prediction = Prediction::from_name(energy ? "edm" : prediction_name,
                                                  prediction.get<double>("sigma_data")),
              .denoiser_options = {.time_input = read_time_input(reader.at("time_input")),
                                   .scale_input = reader.get<bool>("scale_input"),
                                   .sigma_data = reader.get<double>("sigma_data"),
                                   .energy = energy},
              .normalisation = Normalisation::from_json(reader.at("normalisation").json()),
              .columns = reader.get<std::vector<std::string>>("columns"),
              .label_names = {},
              .label_column = read_label_column(reader),
              .training = reader.at("training").json()};
  model.label_names = read_label_names(reader, model.network->classes());
  return model;
} catch (...) {
  detail::throw_as_error();
}

ModelData load_model_data(const fs::path& folder) try {
  const fs::path file = folder / "fokker.json";
  const Json json = read_json(file);
  const Reader reader(json, file.string());
  ModelData data{.columns = reader.get<std::vector<std::string>>("columns"),
                 .label_names = reader.get<std::vector<std::string>>("label_names"),
                 .label_column = read_label_column(reader),
                 .training = reader.at("training").json()};
  const Json network = data.training.is_object() ? data.training.value("network", Json()) : Json();
  if (network.is_object()) data.label_names = read_label_names(reader, make_network(network, 0)->classes());
  return data;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
