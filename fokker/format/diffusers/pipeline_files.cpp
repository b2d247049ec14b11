#include "fokker/format/diffusers/pipeline_files.h"

#include "fokker/core/file/files.h"
#include "fokker/format/diffusers/scheduler.h"

namespace fokker {
namespace fs = std::filesystem;

void write_pipeline_files(const fs::path& folder, const Model& model) {
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

}  // namespace fokker
