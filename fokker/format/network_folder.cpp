#include "fokker/format/network_folder.h"

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/format/safetensors/shards.h"
#include "fokker/nn/layers.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

constexpr const char* weights_name = "diffusion_pytorch_model";

}  // namespace

void save_network(const fs::path& folder, const Network& network) {
  write_folder_atomically(folder, [&](const fs::path& temporary) {
    write_file_atomically(temporary / "config.json", json_text(network.config(), 2) + "\n");
    save_safetensors(temporary / fmt::format("{}.safetensors", weights_name), network.parameters(),
                     {{"format", "pt"}});
  });
}

std::shared_ptr<Network> load_network(const fs::path& folder) {
  recover_folder(folder);
  const UndrawnWeights undrawn;
  std::shared_ptr<Network> network = make_network(read_json(folder / "config.json"), 0);
  try {
    network->load(map_weights(folder, weights_name).tensors);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::argument)
      fail(ErrorKind::input, "{}: {}", (folder / weights_name).string(), error.what());
    throw;
  }
  network->set_requires_grad(false);
  return network;
}

}  // namespace fokker
