// One target for each reader of files from outside: FOKKER_FUZZ_READER names it. A reader may refuse what it
// is given by an Error of kind input, or of kind resource for what does not fit into memory; anything else is
// a finding.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "cli/option/toml.h"
#include "fokker/core/error.h"
#include "fokker/core/file/files.h"
#include "fokker/core/log.h"
#include "fokker/core/text/strict_json.h"
#include "fokker/data/array/cifar.h"
#include "fokker/data/array/idx.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/csv/table_csv.h"
#include "fokker/format/safetensors.h"
#include "fokker/format/torch/torch_file.h"
#include "fokker/image/image.h"
#include "fokker/image/png_text.h"
#include "fokker/table/schema.h"

namespace {

using namespace fokker;
using Reader = std::function<void(const std::filesystem::path&)>;

std::string content_of(const std::filesystem::path& path) {
  return read_file(path);
}

/// Whole sums, so that every byte that was read is looked at.
void look_at(const Tensor& tensor) {
  if (tensor.numel() > 0 && tensor.numel() < (1 << 20)) tensor.to(at::kDouble).sum();
}

void read_torch(const std::filesystem::path& path) {
  const TorchFile file(path);
  file.list();
  for (const auto& [name, tensor] : file.read_data()) look_at(tensor);
  for (const NamedTensor& tensor : file.read()) look_at(tensor.tensor);
}

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all = {
      {"safetensors",
       [](const auto& path) {
         for (const NamedTensor& tensor : load_safetensors(path).tensors) look_at(tensor.tensor);
       }},
      {"pt", read_torch},
      {"npy", [](const auto& path) { look_at(load_npy(path)); }},
      {"npz",
       [](const auto& path) {
         for (const auto& [name, array] : load_npz(path)) look_at(array);
       }},
      {"csv", [](const auto& path) { load_csv(path); }},
      {"table", [](const auto& path) { load_table(path); }},
      {"idx", [](const auto& path) { look_at(load_idx(path)); }},
      {"cifar", [](const auto& path) { load_cifar(path); }},
      {"png", [](const auto& path) { look_at(decode_png(content_of(path), "png")); }},
      {"pngtext", [](const auto& path) { read_png_texts(content_of(path), "png"); }},
      {"jpeg", [](const auto& path) { look_at(decode_jpeg(content_of(path), "jpeg")); }},
      {"webp", [](const auto& path) { look_at(decode_webp(content_of(path), "webp")); }},
      {"tiff", [](const auto& path) { look_at(decode_tiff(content_of(path), "tiff")); }},
      {"gif", [](const auto& path) { look_at(decode_gif(content_of(path), "gif")); }},
      {"bmp", [](const auto& path) { look_at(decode_bmp(content_of(path), "bmp")); }},
      {"json", [](const auto& path) { read_json(path); }},
      {"schema", [](const auto& path) { Schema::from_json(read_json(path), "schema"); }},
      {"toml", [](const auto& path) { cli::read_toml(path); }}};
  return all;
}

/// A file in memory under a path, written anew for each input.
class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("input", 0)), path_("/proc/self/fd/" + std::to_string(file_)) {}
  const std::filesystem::path& put(const uint8_t* data, size_t size) {
    if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, data, size, 0) != static_cast<ssize_t>(size))
      std::abort();
    return path_;
  }

 private:
  int file_;
  std::filesystem::path path_;
};

const Reader& chosen_reader() {
  static const Reader& reader = [&]() -> const Reader& {
    const char* name = std::getenv("FOKKER_FUZZ_READER");
    const auto found = readers().find(name ? name : "");
    if (found != readers().end()) return found->second;
    for (const auto& [known, unused] : readers()) std::printf("%s\n", known.c_str());
    std::exit(name ? 2 : 0);
  }();
  return reader;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  fokker::set_log_sink([](fokker::LogLevel, std::string_view) {});
  chosen_reader();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static MemoryFile file;
  try {
    chosen_reader()(file.put(data, size));
  } catch (const fokker::Error& error) {
    if (error.kind() != fokker::ErrorKind::input && error.kind() != fokker::ErrorKind::resource) {
      std::fprintf(stderr, "an error of kind %d: %s\n", static_cast<int>(error.kind()), error.what());
      std::abort();
    }
  }
  return 0;
}
