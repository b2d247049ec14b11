#include <gif_lib.h>

#include <cstring>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"

namespace fokker {
namespace {

class GifReader {
 public:
  explicit GifReader(std::string_view bytes) : bytes_(bytes) { file_ = DGifOpen(this, on_read, &error_); }
  ~GifReader() {
    if (file_) DGifCloseFile(file_, nullptr);
  }
  GifReader(const GifReader&) = delete;
  GifReader& operator=(const GifReader&) = delete;

  bool opened() const { return file_ != nullptr; }
  /// Reads records up to the next picture; false at the end or an error.
  bool next_picture() {
    for (GifRecordType type; DGifGetRecordType(file_, &type) == GIF_OK;) {
      if (type == TERMINATE_RECORD_TYPE) return false;
      if (type == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(file_) == GIF_OK || failed();
      if (type == EXTENSION_RECORD_TYPE && !read_extension()) return failed();
    }
    return failed();
  }
  bool read_row(GifPixelType* row, int width) { return DGifGetLine(file_, row, width) == GIF_OK || failed(); }
  bool has_failed() const { return failed_; }
  const char* message() const {
    const char* text = GifErrorString(file_ ? file_->Error : error_);
    return text ? text : "damaged";
  }
  const GifFileType& file() const { return *file_; }
  int transparent() const { return transparent_; }
  const ColorMapObject* colours() const {
    return file_->Image.ColorMap ? file_->Image.ColorMap : file_->SColorMap;
  }

 private:
  bool failed() {
    failed_ = true;
    return false;
  }
  bool read_extension() {
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(file_, &code, &block) != GIF_OK) return false;
    GraphicsControlBlock control;
    if (code == GRAPHICS_EXT_FUNC_CODE && block &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
      transparent_ = control.TransparentColor;
    while (block)
      if (DGifGetExtensionNext(file_, &block) != GIF_OK) return false;
    return true;
  }
  static int on_read(GifFileType* file, GifByteType* out, int count) {
    auto* self = static_cast<GifReader*>(file->UserData);
    const size_t some = std::min(static_cast<size_t>(count), self->bytes_.size() - self->at_);
    std::memcpy(out, self->bytes_.data() + self->at_, some);
    self->at_ += some;
    return static_cast<int>(some);
  }

  std::string_view bytes_;
  size_t at_ = 0;
  GifFileType* file_ = nullptr;
  int error_ = 0, transparent_ = NO_TRANSPARENT_COLOR;
  bool failed_ = false;
};

/// The rows of an interlaced picture in the order in which they are stored.
std::vector<int> stored_order(int height, bool interlaced) {
  std::vector<int> order;
  if (!interlaced) {
    for (int y = 0; y < height; ++y) order.push_back(y);
    return order;
  }
  for (const auto& [first, step] : {std::pair{0, 8}, {4, 8}, {2, 4}, {1, 2}})
    for (int y = first; y < height; y += step) order.push_back(y);
  return order;
}

/// Indices (height, width) of the whole canvas; -1 where the picture does not reach.
Tensor read_indices(GifReader& gif, const std::string& name) {
  const auto& canvas = gif.file();
  const auto& part = canvas.Image;
  check_input(part.Left >= 0 && part.Top >= 0 && part.Width > 0 && part.Height > 0 &&
                  part.Left + part.Width <= canvas.SWidth && part.Top + part.Height <= canvas.SHeight,
              "{}: not a readable GIF image: a picture outside its canvas", name);
  const Tensor indices = at::full({canvas.SHeight, canvas.SWidth}, -1, at::kShort);
  std::vector<GifPixelType> row(static_cast<size_t>(part.Width));
  for (const int y : stored_order(part.Height, part.Interlace)) {
    check_input(gif.read_row(row.data(), part.Width), "{}: not a readable GIF image: {}", name,
                gif.message());
    auto* out = indices.data_ptr<int16_t>() + (part.Top + y) * int64_t{canvas.SWidth} + part.Left;
    std::copy(row.begin(), row.end(), out);
  }
  return indices;
}

/// The colours of the indices, (257, 4) uint8; the last is that of no picture.
Tensor colour_table(const GifReader& gif, const std::string& name) {
  const ColorMapObject* map = gif.colours();
  check_input(map != nullptr, "{}: not a readable GIF image: it has no colours", name);
  const Tensor table = at::zeros({257, 4}, at::kByte);
  for (int i = 0; i < std::min(map->ColorCount, 256); ++i) {
    auto* row = table.data_ptr<uint8_t>() + int64_t{4} * i;
    row[0] = map->Colors[i].Red;
    row[1] = map->Colors[i].Green;
    row[2] = map->Colors[i].Blue;
    row[3] = i == gif.transparent() ? 0 : 255;
  }
  return table;
}

}  // namespace

Tensor decode_gif(std::string_view bytes, const std::string& name, ImageFacts* facts) try {
  GifReader gif(bytes);
  check_input(gif.opened(), "{}: not a readable GIF image: {}", name, gif.message());
  check_input(gif.next_picture(), "{}: not a readable GIF image: {}", name,
              gif.has_failed() ? gif.message() : "it holds no picture");
  check_image_size(name, gif.file().SHeight, gif.file().SWidth);
  // A code of LZW, of 3 bits and more, stands for at most 4096 pixels.
  check_expansion(name, bytes, gif.file().SHeight, gif.file().SWidth, 1);
  const Tensor indices = read_indices(gif, name).to(at::kLong), colours = colour_table(gif, name);
  check_input(!gif.next_picture(), "{}: expected a still image but it is an animation", name);
  check_input(!gif.has_failed(), "{}: not a readable GIF image: {}", name, gif.message());
  const Tensor rgba = colours.index({at::where(indices < 0, at::full_like(indices, 256), indices)});
  const bool opaque = rgba.select(2, 3).eq(255).all().item<bool>();
  return decoded(opaque ? rgba.narrow(2, 0, 3) : rgba, {.palette = true}, facts);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
