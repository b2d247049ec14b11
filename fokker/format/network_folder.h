#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fokker/nn/network.h"

namespace fokker {

/// The name of a network's safetensors without its ending, or without that of an index of shards.
constexpr const char* network_weights = "diffusion_pytorch_model";

constexpr const char* network_config_file = "config.json";

/// Writes config.json alone.
void save_network_config(const std::filesystem::path& folder, const Network& network);

/// Writes config.json and diffusion_pytorch_model.safetensors, the layout of diffusers' models, into a folder
/// that is put in place when it is whole. Returns the names of the files.
std::vector<std::string> save_network(const std::filesystem::path& folder, const Network& network);

/// Reads what save_network writes; it wants no gradients. Input errors name the file.
std::shared_ptr<Network> load_network(const std::filesystem::path& folder);

}  // namespace fokker
