#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/array/npy_header.h"
#include "fokker/data/array/zip.h"
#include "fokker/data/array/zip_writer.h"

namespace fokker {

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) try {
  std::map<std::string, Tensor> arrays;
  for (const ZipEntry& entry : read_zip_directory(path)) {
    if (!entry.name.ends_with(".npy")) continue;
    arrays[entry.name.substr(0, entry.name.size() - 4)] = read_npy(*open_zip_entry(path, entry));
  }
  check_input(!arrays.empty(), "{}: expected NPY arrays but the archive holds none", path.string());
  return arrays;
} catch (...) {
  detail::throw_as_error();
}

void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& arrays,
              bool compressed) try {
  check(!arrays.empty(), "save_npz: expected at least one array");
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    ZipWriter zip(temporary, path.string());
    for (const auto& [name, tensor] : arrays) {
      const Tensor values = tensor.detach().to(at::kCPU).contiguous();
      const std::string header = npy_header(values.sizes(), values.scalar_type());
      zip.add(name + ".npy", {header, {static_cast<const char*>(values.data_ptr()), values.nbytes()}},
              compressed);
    }
    zip.finish();
  });
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
