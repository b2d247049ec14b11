#include "fokker/data/tensor_files.h"

#include <cctype>
#include <mutex>

#include "fokker/core/check.h"

namespace fokker {
namespace {

struct TensorReaderInUse {
  std::mutex mutex;
  TensorFileReader reader;
};
/// Made when it is first asked for, which may be before main.
TensorReaderInUse& tensor_reader_in_use() {
  static TensorReaderInUse in_use;
  return in_use;
}

}  // namespace

bool has_tensor_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".pt" || extension == ".pth" || extension == ".safetensors";
}

bool names_labels(std::string_view name) {
  return name == "labels" || name == "label" || name == "y" || name == "Y" || name == "targets";
}

void set_tensor_file_reader(TensorFileReader reader) {
  TensorReaderInUse& in_use = tensor_reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  in_use.reader = std::move(reader);
}

TensorFileReader tensor_file_reader() {
  TensorReaderInUse& in_use = tensor_reader_in_use();
  const std::lock_guard lock(in_use.mutex);
  check(static_cast<bool>(in_use.reader), "load_data: this program has no reader of files of tensors");
  return in_use.reader;
}

}  // namespace fokker
