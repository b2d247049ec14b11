#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/image/image.h"

namespace fokker {

Tensor load_image(const std::filesystem::path& path, ImageFacts* facts) try {
  const std::string bytes = read_file(path, uint64_t{1} << 30), name = path.string();
  const std::string_view start = bytes;
  if (start.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, name, facts);
  if (start.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, name, facts);
  if (start.starts_with("RIFF") && start.substr(8).starts_with("WEBP"))
    return decode_webp(bytes, name, facts);
  if (start.starts_with("GIF87a") || start.starts_with("GIF89a")) return decode_gif(bytes, name, facts);
  if (start.starts_with("II") || start.starts_with("MM")) return decode_tiff(bytes, name, facts);
  if (start.starts_with("BM")) return decode_bmp(bytes, name, facts);
  fail(ErrorKind::input,
       "{}: expected a PNG, JPEG, WebP, GIF, TIFF or BMP image but its first bytes are none of theirs", name);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
