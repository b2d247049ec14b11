#include <cstddef>
#include <cstdio>
//
#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"
#include "fokker/image/orientation.h"

namespace fokker {
namespace {

/// libjpeg reports errors by longjmp, as libpng does: see PngReader.
class JpegReader {
 public:
  explicit JpegReader(std::string_view bytes) : bytes_(bytes) {
    state_.err = jpeg_std_error(&handler_.base);
    handler_.base.error_exit = on_error;
    handler_.base.emit_message = on_message;
  }
  ~JpegReader() {
    if (created_) jpeg_destroy_decompress(&state_);
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header() {
    if (setjmp(handler_.target)) return false;
    jpeg_create_decompress(&state_);
    created_ = true;
    jpeg_mem_src(&state_, reinterpret_cast<const unsigned char*>(bytes_.data()),
                 static_cast<unsigned long>(bytes_.size()));
    jpeg_save_markers(&state_, exif_marker, 0xffff);
    jpeg_read_header(&state_, TRUE);
    orientation_ = find_orientation();  // the markers do not outlive the decoding
    if (state_.jpeg_color_space != JCS_GRAYSCALE) state_.out_color_space = JCS_RGB;
    return true;
  }
  bool read_rows(uint8_t* out) {
    if (setjmp(handler_.target)) return false;
    jpeg_start_decompress(&state_);
    const size_t stride = static_cast<size_t>(state_.output_width) * channels();
    while (state_.output_scanline < state_.output_height) {
      JSAMPROW row = out + state_.output_scanline * stride;
      jpeg_read_scanlines(&state_, &row, 1);
    }
    jpeg_finish_decompress(&state_);
    return true;
  }
  int64_t height() const { return state_.image_height; }
  int64_t width() const { return state_.image_width; }
  int64_t channels() const { return state_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3; }
  bool is_cmyk() const { return state_.jpeg_color_space == JCS_CMYK || state_.jpeg_color_space == JCS_YCCK; }
  int orientation() const { return orientation_; }
  const char* message() const { return message_; }

 private:
  static constexpr int exif_marker = JPEG_APP0 + 1;
  int find_orientation() const {
    for (auto* marker = state_.marker_list; marker; marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (marker->marker == exif_marker && data.starts_with("Exif")) return exif_orientation(data);
    }
    return 1;
  }

  struct Handler {
    jpeg_error_mgr base;
    std::jmp_buf target;
    JpegReader* reader;
  };

  static void on_error(j_common_ptr state) {
    auto* handler = reinterpret_cast<Handler*>(state->err);
    handler->base.format_message(state, handler->reader->message_);
    std::longjmp(handler->target, 1);
  }
  /// libjpeg only warns where data is missing, and invents grey: that is an error here.
  static void on_message(j_common_ptr state, int level) {
    const int code = state->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(state);
  }

  std::string_view bytes_;
  jpeg_decompress_struct state_{};
  Handler handler_{{}, {}, this};
  bool created_ = false;
  int orientation_ = 1;
  char message_[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Tensor decode_jpeg(std::string_view bytes, const std::string& name, ImageFacts* facts) try {
  JpegReader jpeg(bytes);
  check_input(jpeg.read_header(), "{}: not a readable JPEG image: {}", name, jpeg.message());
  check_input(!jpeg.is_cmyk(), "{}: expected a grey or RGB image but it is CMYK", name);
  check_image_size(name, jpeg.height(), jpeg.width());
  const Tensor pixels = allocate(name, {jpeg.height(), jpeg.width(), jpeg.channels()}, at::kByte);
  check_input(jpeg.read_rows(pixels.data_ptr<uint8_t>()), "{}: not a readable JPEG image: {}", name,
              jpeg.message());
  return decoded(pixels, {.orientation = jpeg.orientation()}, facts);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
