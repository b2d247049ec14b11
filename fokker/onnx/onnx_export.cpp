#include "fokker/core/file/files.h"
#include "fokker/format/exchange.h"
#include "fokker/format/graph/denoiser_graph.h"
#include "fokker/onnx/onnx_file.h"

namespace fokker {
namespace {

/// model.onnx, and in model.json what it is to be told at each time.
void export_onnx(const std::filesystem::path& folder, const Model& model) {
  const Json description = denoiser_description(model);
  write_file_atomically(folder / "model.onnx", encode_onnx(denoiser_graph(model)));
  write_file_atomically(folder / "model.json", json_text(description, 1) + "\n");
}

const bool registered_onnx = [] {
  add_export_format({"onnx", "one call of the denoiser as an ONNX graph", export_onnx});
  return true;
}();

}  // namespace
}  // namespace fokker

/// The linker is told to look for it (fokker/CMakeLists.txt), so that this file is part of every program with
/// the library.
extern "C" bool fokker_onnx_export() {
  return fokker::registered_onnx;
}
