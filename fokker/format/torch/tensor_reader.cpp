#include "fokker/data/tensor_files.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"

namespace fokker {
namespace {

/// Of a safetensors file all, of one of torch.save the data set at the key (TorchFile::read_data).
std::map<std::string, Tensor> read_tensor_file(const std::filesystem::path& path, const std::string& key) {
  std::map<std::string, Tensor> tensors;
  if (path.extension() == ".safetensors")
    for (const auto& [name, tensor] : load_safetensors(path).tensors) tensors[name] = tensor;
  else
    tensors = TorchFile(path).read_data(key);
  for (auto& [name, tensor] : tensors) tensor = tensor.contiguous();
  return tensors;
}

const bool registered_tensor_reader = [] {
  set_tensor_file_reader(read_tensor_file);
  return true;
}();

}  // namespace
}  // namespace fokker

/// The linker is told to look for it (fokker/CMakeLists.txt), so that this file is part of every program with
/// the library.
extern "C" bool fokker_tensor_reader() {
  return fokker::registered_tensor_reader;
}
