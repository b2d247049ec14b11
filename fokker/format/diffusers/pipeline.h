#pragma once
#include <filesystem>

#include "fokker/format/exchange.h"

namespace fokker {

/// Whether the folder is a pipeline (model_index.json, unet/, scheduler/) or a UNet2DModel alone
/// (config.json) as Hugging Face diffusers saves them, and no run folder of ours.
bool is_diffusers_folder(const std::filesystem::path& path);

/// Reads it: the network, and from the scheduler the process, what is predicted and how it is sampled. Input
/// errors name the file and what of it cannot be represented here.
Imported load_pipeline(const std::filesystem::path& folder, const ImportOptions& options = {});

/// Writes the model as diffusers reads it: unet/ with config.json and weights, and scheduler/ with
/// model_index.json where diffusers has a scheduler for it (scheduler_config, suits_pipeline). Argument error
/// for a network that is no UNet2DModel.
void save_pipeline(const std::filesystem::path& folder, const Model& model);

}  // namespace fokker
