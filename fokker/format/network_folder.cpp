#include "fokker/format/network_folder.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/format/safetensors/shards.h"
#include "fokker/nn/layers.h"

namespace fokker {
namespace fs = std::filesystem;

std::vector<std::string> save_network(const fs::path& folder, const Network& network) {
  std::vector<std::string> files = {"config.json", fmt::format("{}.safetensors", network_weights)};
  write_file_atomically(folder / files[0], json_text(network.config(), 2) + "\n");
  save_safetensors(folder / files[1], network.parameters(), {{"format", "pt"}});
  return files;
}

std::shared_ptr<Network> load_network(const fs::path& folder) {
  const UndrawnWeights undrawn;
  std::shared_ptr<Network> network = make_network(read_json(folder / "config.json"), 0);
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
