#include "fokker/format/diffusers/pipeline.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/text.h"
#include "fokker/format/diffusers/pipeline_files.h"
#include "fokker/format/diffusers/python_json.h"
#include "fokker/format/diffusers/scheduler_import.h"
#include "fokker/format/diffusers/tensor_names.h"
#include "fokker/format/network_folder.h"
#include "fokker/format/safetensors/shards.h"
#include "fokker/nn/layers.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// The folder of the network's config.json: unet/ of a pipeline, or the folder itself.
fs::path network_folder(const fs::path& folder) {
  return fs::exists(folder / "unet" / "config.json") ? folder / "unet" : folder;
}

void check_class(const Json& config, const fs::path& file) {
  const std::string name = config.is_object() ? config.value("_class_name", std::string()) : "";
  check_input(name == "UNet2DModel", "{}: expected _class_name to be UNet2DModel, of images, but found {}",
              file.string(), name.empty() ? "none" : shown(name));
  const detail::JsonReader reader(config, file.string());
  const auto in = reader.json().value("in_channels", Json(3)),
             out = reader.json().value("out_channels", Json(3));
  check_input(
      in == out,
      "{}: expected as many channels out as in but found {} and {}: a learned variance, or channels that are "
      "conditions, cannot be represented",
      file.string(), json_text(out), json_text(in));
}

/// diffusers knows no unconditional class: every row of the table is one.
Json network_config(Json config) {
  if (!config.contains("unconditional_class")) config["unconditional_class"] = false;
  return config;
}

/// As the network of a configuration describes itself.
Json make_network_config(const Json& config) {
  const UndrawnWeights undrawn;
  return make_network(network_config(config), 0)->config();
}

std::shared_ptr<Network> import_network(const fs::path& folder, const Json& config) {
  const UndrawnWeights undrawn;
  std::shared_ptr<Network> network = make_network(network_config(config), 0);
  try {
    network->load(with_current_names(map_weights(folder, network_weights).tensors));
  } catch (const Error& error) {
    const std::string_view what = error.what();
    if (what.starts_with("Network::load")) fail(ErrorKind::input, "{}: {}", folder.string(), what);
    throw;
  }
  network->set_requires_grad(false);
  return network;
}

/// Of a UNet2DModel alone: DDPM's, which its class was made for.
Json read_scheduler_config(const fs::path& folder, std::vector<std::string>& notes) {
  const fs::path file = folder / "scheduler" / "scheduler_config.json";
  if (fs::exists(file)) return read_python_json(file);
  notes.push_back(
      fmt::format("{}: no scheduler; taken as trained on DDPMScheduler's default chain", folder.string()));
  return {{"_class_name", "DDPMScheduler"}};
}

TrainingRecord import_record(const fs::path& folder, const Model& model) {
  TrainingRecord record;
  record.event_shape = model.event_shape();
  record.classes = model.network->classes();
  record.process = model.spec.process.schedule()->config();
  record.prediction = model.spec.name();
  record.network = model.network->config();
  record.parameters = model.network->parameter_count();
  record.more["imported"] = fs::weakly_canonical(folder).string();
  return record;
}

/// What a label is where it is no class: numbers that the network knows no scale of.
ConditionMap condition_map(int64_t size) {
  if (size == 0) return {};
  constexpr double bound = 1e6;  // of what is taken for usual: nothing is known of the training's
  ConditionMap map{.columns = {}, .scale = Normalisation::identity({size})};
  map.columns.reserve(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) map.columns.push_back(fmt::format("label{}", i));
  map.low = at::full({size}, -bound, at::kDouble);
  map.high = at::full({size}, bound, at::kDouble);
  return map;
}

/// Whether what the model came with still says what it is.
bool is_still(const Model& model, const std::string& file, const Json& config) {
  if (file == "unet/config.json") return make_network_config(config) == model.network->config();
  if (file != "scheduler/scheduler_config.json") return true;
  const ImportedScheduler scheduler = read_scheduler(config, file);
  return scheduler.spec.to_json() == model.spec.to_json() &&
         scheduler.sampling.to_json() == model.sampling.to_json();
}

/// An imported model's configurations as they were, in place of those of our own making, where all still
/// hold.
void write_origin(const fs::path& folder, const Model& model) {
  if (!model.origin.is_object()) return;
  for (const auto& [file, config] : model.origin.items())
    if (!is_still(model, file, config)) return;
  for (const auto& [file, config] : model.origin.items())
    write_file_atomically(folder / file, python_json_text(config) + "\n");
}

}  // namespace

bool is_diffusers_folder(const fs::path& path) {
  if (!fs::is_directory(path) || fs::exists(path / "fokker.json")) return false;
  return fs::exists(path / "model_index.json") || fs::exists(path / "unet" / "config.json") ||
         fs::exists(path / "config.json");
}

Imported load_pipeline(const fs::path& folder, const ImportOptions&) {
  Imported imported{.model = {.network = nullptr,
                              .spec = {.process = GaussianProcess(Flow{})},
                              .normalisation = Normalisation::identity({1})}};
  const fs::path part = network_folder(folder), config_file = part / "config.json";
  const Json config = read_python_json(config_file),
             scheduler_json = read_scheduler_config(folder, imported.notes);
  check_class(config, config_file);
  // Before the weights, which are much to read.
  ImportedScheduler scheduler =
      read_scheduler(scheduler_json, (folder / "scheduler" / "scheduler_config.json").string());
  Model& model = imported.model;
  model.network = import_network(part, config);
  model.spec = std::move(scheduler.spec);
  model.sampling = std::move(scheduler.sampling);
  model.normalisation = Normalisation::pixels(model.event_shape(), at::kByte);
  for (int64_t i = 0; i < model.network->classes(); ++i) model.label_names.push_back(std::to_string(i));
  model.condition = condition_map(model.network->condition_size());
  model.origin = {{"unet/config.json", config}, {"scheduler/scheduler_config.json", scheduler_json}};
  if (const fs::path index = folder / "model_index.json"; fs::exists(index))
    model.origin["model_index.json"] = read_python_json(index);
  model.training = import_record(folder, model);
  imported.notes.insert(imported.notes.end(), scheduler.notes.begin(), scheduler.notes.end());
  return imported;
}

void save_pipeline(const fs::path& folder, const Model& model) {
  check(model.network->class_name() == "UNet2DModel",
        "diffusers: expected a U-Net of images, which diffusers knows as UNet2DModel, but the model's "
        "network is {}",
        model.network->class_name());
  save_network(folder / "unet", *model.network);
  write_pipeline_files(folder, model);
  write_origin(folder, model);
}

}  // namespace fokker
