#include "fokker/format/diffusers/pipeline.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/text/json_reader.h"
#include "fokker/format/diffusers/pipeline_files.h"
#include "fokker/format/diffusers/scheduler_import.h"
#include "fokker/format/network_folder.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// The folder of the network's config.json: unet/ of a pipeline, or the folder itself.
fs::path network_folder(const fs::path& folder) {
  return fs::exists(folder / "model_index.json") ? folder / "unet" : folder;
}

/// Of a UNet2DModel alone: DDPM's, which its class was made for.
Json read_scheduler_config(const fs::path& folder, std::vector<std::string>& notes) {
  const fs::path file = folder / "scheduler" / "scheduler_config.json";
  if (fs::exists(file)) return read_json(file);
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

}  // namespace

bool is_diffusers_folder(const fs::path& path) {
  if (!fs::is_directory(path) || fs::exists(path / "fokker.json")) return false;
  return fs::exists(path / "model_index.json") || fs::exists(path / "config.json");
}

Imported load_pipeline(const fs::path& folder, const ImportOptions&) {
  std::vector<std::string> notes;
  const Json config = read_scheduler_config(folder, notes);
  ImportedScheduler scheduler =
      read_scheduler(config, (folder / "scheduler" / "scheduler_config.json").string());
  notes.insert(notes.end(), scheduler.notes.begin(), scheduler.notes.end());
  const std::shared_ptr<Network> network = load_network(network_folder(folder));
  Model model{.network = network,
              .spec = std::move(scheduler.spec),
              .normalisation = Normalisation::pixels(network->event_shape(), at::kByte),
              .columns = {},
              .label_names = {}};
  for (int64_t i = 0; i < model.network->classes(); ++i) model.label_names.push_back(std::to_string(i));
  model.training = import_record(folder, model);
  return {std::move(model), std::move(notes)};
}

void save_pipeline(const fs::path& folder, const Model& model) {
  check(model.network->class_name() == "UNet2DModel",
        "diffusers: expected a U-Net of images, which diffusers knows as UNet2DModel, but the model's "
        "network is {}",
        model.network->class_name());
  save_network(folder / "unet", *model.network);
  write_pipeline_files(folder, model);
}

}  // namespace fokker
