#include <cstdlib>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/data/bytes.h"
#include "fokker/image/decoded.h"

namespace fokker {
namespace {

/// Little-endian numbers at offsets that are held against the end.
class BmpBytes {
 public:
  BmpBytes(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  uint8_t byte(int64_t at) const {
    check_input(at >= 0 && at < static_cast<int64_t>(bytes_.size()),
                "{}: not a readable BMP image: truncated", name_);
    return static_cast<uint8_t>(bytes_[static_cast<size_t>(at)]);
  }
  int64_t number(int64_t at, int count) const {
    int64_t value = 0;
    for (int i = count - 1; i >= 0; --i) value = value * 256 + byte(at + i);
    return value;
  }

 private:
  std::string_view bytes_;
  const std::string& name_;
};

struct BmpLayout {
  int64_t pixels, palette, colours;  ///< offsets, and the number of colours
  int64_t width, height;
  bool bottom_up;
  int64_t bits;

  int64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
};

BmpLayout layout_of(const BmpBytes& bytes, const std::string& name) {
  const int64_t header = bytes.number(14, 4);
  check_input(header >= 40 && header <= 1024,
              "{}: expected a BMP with a header of at least 40 bytes but it has {}", name, header);
  const int64_t height = static_cast<int32_t>(bytes.number(22, 4));
  BmpLayout layout{.pixels = bytes.number(10, 4),
                   .palette = 14 + header,
                   .colours = bytes.number(46, 4),
                   .width = static_cast<int32_t>(bytes.number(18, 4)),
                   .height = std::llabs(height),
                   .bottom_up = height > 0,
                   .bits = bytes.number(28, 2)};
  const int64_t b = layout.bits, compression = bytes.number(30, 4);
  check_input(b == 1 || b == 4 || b == 8 || b == 24 || b == 32,
              "{}: expected a BMP of 1, 4, 8, 24 or 32 bits a pixel but it has {}", name, b);
  // 3 names masks, whose usual ones of 32 bits are those of an uncompressed picture.
  const bool usual_masks = compression == 3 && b == 32 && bytes.number(54, 4) == 0xff0000 &&
                           bytes.number(58, 4) == 0xff00 && bytes.number(62, 4) == 0xff;
  check_input(compression == 0 || usual_masks, "{}: expected an uncompressed BMP but its compression is {}",
              name, compression);
  if (layout.colours == 0 || layout.colours > 256) layout.colours = b <= 8 ? int64_t{1} << b : 0;
  return layout;
}

void read_row(const BmpBytes& bytes, const BmpLayout& layout, int64_t at, uint8_t* out,
              const std::string& name) {
  for (int64_t x = 0; x < layout.width; ++x, out += 3) {
    int64_t colour = at + x * layout.bits / 8;
    if (layout.bits <= 8) {
      const int64_t shift = 8 - layout.bits - x * layout.bits % 8;
      const int64_t index = (bytes.byte(colour) >> shift) & ((1 << layout.bits) - 1);
      check_input(index < layout.colours, "{}: not a readable BMP image: colour {} of {}", name, index,
                  layout.colours);
      colour = layout.palette + 4 * index;
    }
    for (int c = 0; c < 3; ++c) out[c] = bytes.byte(colour + 2 - c);
  }
}

}  // namespace

Tensor decode_bmp(std::string_view data, const std::string& name, ImageFacts* facts) try {
  const BmpBytes bytes(data, name);
  const BmpLayout layout = layout_of(bytes, name);
  check_image_size(name, layout.height, layout.width);
  bytes.byte(layout.pixels + layout.row_bytes() * layout.height - 1);  // all of it is there
  const Tensor pixels = allocate(name, {layout.height, layout.width, 3}, at::kByte);
  for (int64_t y = 0; y < layout.height; ++y) {
    const int64_t row = layout.bottom_up ? layout.height - 1 - y : y;
    read_row(bytes, layout, layout.pixels + row * layout.row_bytes(),
             pixels.data_ptr<uint8_t>() + y * layout.width * 3, name);
  }
  const bool palette = layout.bits <= 8;
  const bool grey = palette && pixels.select(2, 0).equal(pixels.select(2, 1)) &&
                    pixels.select(2, 0).equal(pixels.select(2, 2));
  return decoded(grey ? pixels.narrow(2, 0, 1) : pixels, {.palette = palette && !grey}, facts);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
