#include <png.h>

#include <csetjmp>
#include <cstring>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"
#include "fokker/image/orientation.h"

namespace fokker {
namespace {

/// libpng reports errors by longjmp. Each method that calls it sets its own target and keeps nothing on its
/// stack that has a destructor; results and the message live in the object.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    if (!info_) return false;
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, this, on_read);
    png_set_user_limits(png_, largest_image_side, largest_image_side);
    png_read_info(png_, info_);
    palette_ = png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE;
    png_set_expand(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_rows(png_bytep* rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, info_);  // the orientation may stand after the pixels
    return true;
  }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }
  bool is_deep() const { return png_get_bit_depth(png_, info_) == 16; }
  bool has_palette() const { return palette_; }
  int orientation() {
    png_uint_32 size = 0;
    png_bytep data = nullptr;
    if (setjmp(png_jmpbuf(png_))) return 1;
    if (!png_get_eXIf_1(png_, info_, &size, &data)) return 1;
    return exif_orientation({reinterpret_cast<const char*>(data), size});
  }
  const char* message() const { return message_; }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, text, sizeof self->message_ - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->bytes_.size() - self->at_) png_error(png, "truncated");
    std::memcpy(out, self->bytes_.data() + self->at_, count);
    self->at_ += count;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool palette_ = false;
  char message_[120] = "no memory";
};

struct PngImage {
  int64_t height, width, channels;
};

class PngWriter {
 public:
  PngWriter() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  bool write(PngImage image, png_bytep* rows) {
    constexpr int colour[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                              PNG_COLOR_TYPE_RGB_ALPHA};
    if (!info_) return false;
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_write_fn(png_, this, on_write, nullptr);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
                 8, colour[image.channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    png_write_image(png_, rows);
    png_write_end(png_, nullptr);
    return true;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp) { png_longjmp(png, 1); }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_write(png_structp png, png_bytep data, size_t count) {
    static_cast<PngWriter*>(png_get_io_ptr(png))->bytes_.append(reinterpret_cast<const char*>(data), count);
  }
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string bytes_;
};

std::vector<png_bytep> row_pointers(const Tensor& interleaved) {
  std::vector<png_bytep> rows(static_cast<size_t>(interleaved.size(0)));
  for (size_t y = 0; y < rows.size(); ++y)
    rows[y] = interleaved.data_ptr<uint8_t>() + y * interleaved.size(1) * interleaved.size(2);
  return rows;
}

}  // namespace

Tensor decode_png(std::string_view bytes, const std::string& name, ImageFacts* facts) try {
  PngReader png(bytes);
  check_input(png.read_header(), "{}: not a readable PNG image: {}", name, png.message());
  check_image_size(name, png.height(), png.width());
  const bool deep = png.is_deep();
  check_expansion(name, bytes, png.height(), png.width(), png.channels() * (deep ? 2 : 1));
  const Tensor pixels =
      allocate(name, {png.height(), png.width(), png.channels() * (deep ? 2 : 1)}, at::kByte);
  auto rows = row_pointers(pixels);
  check_input(png.read_rows(rows.data()), "{}: not a readable PNG image: {}", name, png.message());
  const Tensor levels = deep ? from_big_endian_levels(pixels) : pixels;
  return decoded(levels, {.orientation = png.orientation(), .deep = deep, .palette = png.has_palette()},
                 facts);
} catch (...) {
  detail::throw_as_error();
}

std::string encode_png(const Tensor& image) try {
  check(image.dim() == 3 && image.size(0) >= 1 && image.size(0) <= 4 && image.numel() > 0,
        "encode_png: expected (1 to 4 channels, height, width) but received {}", shape_string(image));
  const Tensor pixels = to_pixels(image).permute({1, 2, 0}).contiguous();
  auto rows = row_pointers(pixels);
  PngWriter png;
  if (!png.write({pixels.size(0), pixels.size(1), pixels.size(2)}, rows.data()))
    fail(ErrorKind::failed, "encode_png: libpng could not encode an image of shape {}", shape_string(image));
  return png.bytes();
} catch (...) {
  detail::throw_as_error();
}

void save_png(const std::filesystem::path& path, const Tensor& image) try {
  write_file_atomically(path, encode_png(image));
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
