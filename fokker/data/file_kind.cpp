#include "fokker/data/file_kind.h"

#include <algorithm>
#include <string>

#include "fokker/core/check.h"
#include "fokker/data/images.h"
#include "fokker/data/tensor_files.h"

namespace fokker {
namespace fs = std::filesystem;

FileKind kind_of(const fs::path& path) {
  std::error_code error;
  check_input(fs::exists(path, error), "{}: no such file", path.string());
  if (fs::is_directory(path)) return FileKind::folder;
  std::string name = path.filename().string();
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool gzip = name.ends_with(".gz");
  if (gzip) name.resize(name.size() - 3);
  const auto is = [&](std::initializer_list<std::string_view> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](auto end) { return name.ends_with(end); });
  };
  if (is({".csv", ".tsv", ".txt"})) return FileKind::csv;
  if (is({".npy"})) return FileKind::npy;
  if (is({".idx", "-ubyte", ".ubyte"}) || gzip) return FileKind::idx;
  if (is({".npz"})) return FileKind::npz;
  if (is({".bin"})) return FileKind::cifar;
  if (has_tensor_extension(path)) return FileKind::tensors;
  if (has_image_extension(path)) return FileKind::image;
  check_input(
      !is({".parquet", ".feather", ".arrow"}),
      "{}: Parquet and Arrow files are not read, as Debian 12 has no library for them; write CSV or NPY "
      "instead (pandas: read_parquet(...).to_csv(..., index=False))",
      path.string());
  fail(ErrorKind::input,
       "{}: unknown kind of file: expected .npy, .npz, .csv, .tsv, .txt, .idx, -ubyte, .gz, .bin (CIFAR), "
       ".pt, "
       ".pth, .safetensors, .png, .jpg, .webp, .gif, .tif, .bmp or a folder of images",
       path.string());
}

}  // namespace fokker
