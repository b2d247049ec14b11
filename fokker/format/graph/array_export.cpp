#include "fokker/format/graph/array_export.h"

#include "fokker/core/file/files.h"
#include "fokker/data/array/npy.h"
#include "fokker/format/graph/denoiser_graph.h"

namespace fokker {

void export_arrays(const std::filesystem::path& folder, const Model& model) {
  Json description = denoiser_description(model);
  const Graph graph = denoiser_graph(model);
  description["graph"] = graph_json(graph);
  std::map<std::string, Tensor> arrays;
  for (const auto& [name, tensor] : graph.constants) arrays[name] = tensor;
  if (!model.is_image()) {
    const UserMap map = user_map(model);
    arrays["to_user.matrix"] = map.matrix;
    arrays["to_user.shift"] = map.shift;
  }
  save_npz(folder / "arrays.npz", arrays);
  write_file_atomically(folder / "model.json", json_text(description, 1) + "\n");
}

}  // namespace fokker
