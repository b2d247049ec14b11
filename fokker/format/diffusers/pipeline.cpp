#include "fokker/format/diffusers/pipeline.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/format/diffusers/origin_weights.h"
#include "fokker/format/diffusers/pipeline_files.h"
#include "fokker/format/diffusers/python_json.h"
#include "fokker/format/diffusers/scheduler_import.h"
#include "fokker/format/network_folder.h"
#include "fokker/nn/layers.h"
#include "fokker/nn/unet/unet.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Files of a pipeline, as Model::origin names them.
constexpr const char* pipeline_index = "model_index.json";
constexpr const char* unet_config = "unet/config.json";
constexpr const char* scheduler_file = "scheduler/scheduler_config.json";

/// The folder of the network's config.json: unet/ of a pipeline, or the folder itself.
fs::path network_folder(const fs::path& folder) {
  return fs::exists(folder / "unet" / "config.json") ? folder / "unet" : folder;
}

void check_class(const Json& config, const fs::path& file) {
  const std::string name = config.is_object() ? config.value("_class_name", std::string()) : "";
  check_input(is_unet_class(name),
              "{}: expected _class_name to be UNet2DModel or UNet2DConditionModel, of images, but found {}",
              file.string(), name.empty() ? "none" : shown(name));
  const detail::JsonReader reader(config, file.string());
  const Json usual = name == "UNet2DModel" ? 3 : 4;
  const auto in = reader.json().value("in_channels", usual), out = reader.json().value("out_channels", usual);
  check_input(
      in == out,
      "{}: expected as many channels out as in but found {} and {}: a learned variance, or channels that are "
      "conditions, cannot be represented",
      file.string(), json_text(out), json_text(in));
}

/// A network of latents, or one that texts are encoded for, is not one of images that a vector is told.
void check_components(const Json& index, const fs::path& file) {
  check_input(index.is_object(), "{}: expected a JSON object", file.string());
  for (const auto& [name, part] : index.items())
    check_input(name.starts_with("_") || name == "unet" || name == "scheduler" || !part.is_array() ||
                    part.empty() || part[0].is_null(),
                "{}: expected a pipeline of \"unet\" and \"scheduler\" alone but it has \"{}\", which "
                "cannot be represented; a folder of the network alone may be",
                file.string(), shown(name));
}

/// Which rows of a table of classes are classes. diffusers does not say: every row is one, but for that which
/// the user calls the unconditional one.
Json network_config(Json config, const std::string& unconditional = {}) {
  if (!config.contains("unconditional_class")) config["unconditional_class"] = false;
  if (unconditional.empty()) return config;
  const auto rows = config.find("num_class_embeds");
  const bool tabled = rows != config.end() && rows->is_number_integer() && *rows > 1 &&
                      (!config.contains("class_embed_type") || config["class_embed_type"].is_null());
  check(tabled, "unconditional: expected a network with a table of at least two classes");
  config["unconditional_class"] = parse_integer("unconditional", unconditional, 0, rows->get<int64_t>() - 1);
  return config;
}

/// As the network of a configuration describes itself.
Json make_network_config(const Json& config) {
  const UndrawnWeights undrawn;
  return make_network(config, 0)->config();
}

/// The network; `origin` receives how its weights are laid out.
std::shared_ptr<Network> import_network(const fs::path& folder, const Json& config, Json& origin) {
  const UndrawnWeights undrawn;
  std::shared_ptr<Network> network = make_network(config, 0);
  try {
    network->load(map_origin_weights(folder, origin));
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
ConditionMap condition_map(const Network& network) {
  const int64_t size = network.condition_size();
  if (size == 0) return {};
  const auto* unet = dynamic_cast<const UNet*>(&network);
  const int64_t labels = unet ? size - unet->options().token_numbers() : size;
  constexpr double bound = 1e6;  // of what is taken for usual: nothing is known of the training's
  ConditionMap map{.columns = {}, .scale = Normalisation::identity({size})};
  map.columns.reserve(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i)
    map.columns.push_back(i < labels ? fmt::format("label{}", i) : fmt::format("token{}", i - labels));
  map.low = at::full({size}, -bound, at::kDouble);
  map.high = at::full({size}, bound, at::kDouble);
  return map;
}

/// The rows of a table of classes that are classes, by their numbers.
std::vector<std::string> class_names(const Network& network) {
  const auto* unet = dynamic_cast<const UNet*>(&network);
  if (!unet || network.classes() == 0) return {};
  const UNetOptions& o = unet->options();
  std::vector<std::string> names;
  for (int64_t row = 0; row < o.num_class_embeds; ++row)
    if (!o.unconditional_class || row != o.unconditional_row) names.push_back(std::to_string(row));
  names.resize(static_cast<size_t>(network.classes()));
  return names;
}

/// The network's configuration as its own, without what is no part of diffusers'.
Json without_own_keys(Json config) {
  config.erase("unconditional_class");
  return config;
}

/// Whether what the model came with still says what it is.
bool is_still(const Model& model, const std::string& file, const Json& config) {
  if (file == unet_config)
    return without_own_keys(make_network_config(network_config(config))) ==
           without_own_keys(model.network->config());
  if (file != scheduler_file) return true;
  const ImportedScheduler scheduler = read_scheduler(config, file);
  return scheduler.spec.to_json() == model.spec.to_json() &&
         scheduler.sampling.to_json() == model.sampling.to_json();
}

/// Whether an imported model is still all that it came with. A folder's files may say anything: only files of
/// a pipeline are ever written.
bool is_as_it_came(const Model& model) {
  if (!model.origin.is_object()) return false;
  for (const auto& [file, config] : model.origin.items()) {
    check_input(
        file == pipeline_index || file == unet_config || file == scheduler_file || is_origin_of_weights(file),
        "fokker.json: origin: expected files of a pipeline but found '{}'", shown(file));
    if (!is_still(model, file, config)) return false;
  }
  return true;
}

/// An imported model's configurations as they were, in place of those of our own making.
void write_origin_configurations(const fs::path& folder, const Json& origin) {
  for (const auto& [file, config] : origin.items())
    if (!is_origin_of_weights(file)) write_file_atomically(folder / file, python_json_text(config) + "\n");
}

}  // namespace

bool is_diffusers_folder(const fs::path& path) {
  if (!fs::is_directory(path) || fs::exists(path / "fokker.json")) return false;
  return fs::exists(path / "model_index.json") || fs::exists(path / "unet" / "config.json") ||
         fs::exists(path / "config.json");
}

Imported load_pipeline(const fs::path& folder, const ImportOptions& options) {
  Imported imported{.model = {.network = nullptr,
                              .spec = {.process = GaussianProcess(Flow{})},
                              .normalisation = Normalisation::identity({1}),
                              .columns = {},
                              .label_names = {}}};
  Model& model = imported.model;
  if (const fs::path index = folder / pipeline_index; fs::exists(index)) {
    model.origin[pipeline_index] = read_python_json(index);
    check_components(model.origin[pipeline_index], index);
  }
  const fs::path part = network_folder(folder), config_file = part / "config.json";
  const Json config = read_python_json(config_file),
             scheduler_json = read_scheduler_config(folder, imported.notes);
  check_class(config, config_file);
  // Before the weights, which are much to read.
  ImportedScheduler scheduler =
      read_scheduler(scheduler_json, (folder / "scheduler" / "scheduler_config.json").string());
  model.network = import_network(part, network_config(config, options.unconditional), model.origin);
  model.spec = std::move(scheduler.spec);
  model.sampling = std::move(scheduler.sampling);
  model.normalisation = Normalisation::pixels(model.event_shape(), at::kByte);
  model.label_names = class_names(*model.network);
  model.condition = condition_map(*model.network);
  model.origin[unet_config] = config;
  model.origin[scheduler_file] = scheduler_json;
  if (model.network->classes() > 0 && !model.network->knows_no_label())
    imported.notes.push_back(
        fmt::format("all {} rows of the table of classes are classes, so that a label must be given; "
                    "--unconditional CLASS names the one that stands for none, if there is",
                    model.network->classes()));
  model.training = import_record(folder, model);
  imported.notes.insert(imported.notes.end(), scheduler.notes.begin(), scheduler.notes.end());
  return imported;
}

void save_pipeline(const fs::path& folder, const Model& model) {
  check(
      is_unet_class(model.network->class_name()),
      "diffusers: expected a U-Net of images, which diffusers knows as UNet2DModel or UNet2DConditionModel, "
      "but the model's network is {}",
      model.network->class_name());
  const bool as_it_came = is_as_it_came(model);
  save_network_config(folder / "unet", *model.network);
  write_pipeline_files(folder, model);
  if (as_it_came) write_origin_configurations(folder, model.origin);
  write_origin_weights(folder / "unet", *model.network, as_it_came ? model.origin : Json::object());
}

}  // namespace fokker
