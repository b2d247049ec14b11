#include "fokker/format/network_folder.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/format/safetensors/shards.h"
#include "fokker/nn/layers.h"

namespace fokker {
namespace fs = std::filesystem;

void save_network_config(const fs::path& folder, const Network& network) {
  write_file_atomically(folder / network_config_file, json_text(network.config(), 2) + "\n");
}

std::vector<std::string> save_network(const fs::path& folder, const Network& network) {
  const std::string weights = fmt::format("{}.safetensors", network_weights);
  save_network_config(folder, network);
  save_safetensors(folder / weights, network.parameters(), {{"format", "pt"}});
  return {network_config_file, weights};
}

std::shared_ptr<Network> load_network(const fs::path& folder) {
  const UndrawnWeights undrawn;
  std::shared_ptr<Network> network = make_network(read_json(folder / network_config_file), 0);
  try {
    network->load(map_weights(folder, network_weights).tensors);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::argument)
      fail(ErrorKind::input, "{}: {}", (folder / network_weights).string(), error.what());
    throw;
  }
  network->set_requires_grad(false);
  return network;
}

}  // namespace fokker
