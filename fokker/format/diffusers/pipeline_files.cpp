#include "fokker/format/diffusers/pipeline_files.h"

#include "fokker/core/file/files.h"
#include "fokker/format/diffusers/scheduler.h"

namespace fokker {
namespace fs = std::filesystem;

std::vector<std::string> write_pipeline_files(const fs::path& folder, const Model& model) {
  const std::optional<Json> scheduler = scheduler_config(model);
  if (!scheduler) return {};
  const std::string file = "scheduler/scheduler_config.json", index_file = "model_index.json";
  write_file_atomically(folder / file, json_text(*scheduler, 2) + "\n");
  // A network of conditions is told what no pipeline of diffusers has.
  if (!suits_pipeline(*scheduler) || model.network->class_name() != "UNet2DModel") return {file};
  const Json index = {{"_class_name", "DDPMPipeline"},
                      {"_diffusers_version", "0.30.0"},
                      {"unet", {"diffusers", "UNet2DModel"}},
                      {"scheduler", {"diffusers", (*scheduler)["_class_name"]}}};
  write_file_atomically(folder / index_file, json_text(index, 2) + "\n");
  return {file, index_file};
}

}  // namespace fokker
