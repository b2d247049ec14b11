#pragma once
#include <filesystem>

#include "fokker/format/model.h"

namespace fokker {

/// Writes what diffusers needs beside unet/ to sample the model: scheduler/ and, where DDPMPipeline samples
/// with it, model_index.json. Where diffusers has nothing that is true, nothing is left there.
void write_pipeline_files(const std::filesystem::path& folder, const Model& model);

}  // namespace fokker
