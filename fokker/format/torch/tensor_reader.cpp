#include "fokker/data/tensor_files.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"

namespace fokker {
namespace {

/// Of a safetensors file all, of one of torch.save those at the key. A tuple of two, as data sets are saved,
/// is values and labels.
std::map<std::string, Tensor> read_tensor_file(const std::filesystem::path& path, const std::string& key) {
  const bool is_torch = path.extension() != ".safetensors";
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : is_torch ? load_torch(path, key) : load_safetensors(path).tensors)
    tensors[name] = tensor.contiguous();
  if (tensors.size() == 2 && tensors.contains("0") && tensors.contains("1"))
    return {{"x", tensors["0"]}, {"labels", tensors["1"]}};
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
