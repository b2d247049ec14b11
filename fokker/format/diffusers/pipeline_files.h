#pragma once
#include <filesystem>

#include "fokker/format/model.h"

namespace fokker {

/// Writes what diffusers needs beside unet/ to sample the model: scheduler/ and, where DDPMPipeline samples
/// with it, model_index.json. Where diffusers has nothing that is true, nothing is written. The folder is put
/// in place when it is whole. Returns the names of the files.
std::vector<std::string> write_pipeline_files(const std::filesystem::path& folder, const Model& model);

}  // namespace fokker
