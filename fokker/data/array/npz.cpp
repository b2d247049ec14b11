#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/array/npy_header.h"
#include "fokker/data/array/zip.h"

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

}  // namespace fokker
