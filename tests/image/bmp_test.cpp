#include "data/damage.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

/// A bitmap of one colour depth: header, palette and pixels.
std::string bmp(int32_t width, int32_t height, int bits, const std::string& palette,
                const std::string& pixels) {
  const auto little = [](uint32_t value, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
  };
  const auto offset = static_cast<uint32_t>(54 + palette.size());
  return "BM" + little(offset + static_cast<uint32_t>(pixels.size()), 4) + little(0, 4) + little(offset, 4) +
         little(40, 4) + little(static_cast<uint32_t>(width), 4) + little(static_cast<uint32_t>(height), 4) +
         little(1, 2) + little(static_cast<uint32_t>(bits), 2) + little(0, 4) + little(0, 4) + little(0, 4) +
         little(0, 4) + little(static_cast<uint32_t>(palette.size() / 4), 4) + little(0, 4) + palette +
         pixels;
}

TEST(Bitmap, IsReadFromTheBottomBlueFirst) {
  // Rows from the bottom, padded to four bytes, blue first.
  const std::string colour = bmp(1, 2, 24, "", std::string("\1\2\3\0\4\5\6\0", 8));
  EXPECT_TRUE(decode_bmp(colour, "x").flatten().equal(at::tensor({6, 3, 5, 2, 4, 1}, at::kByte)));
  const std::string down = bmp(1, -2, 32, "", std::string("\1\2\3\0\4\5\6\0", 8));
  EXPECT_TRUE(decode_bmp(down, "x").flatten().equal(at::tensor({3, 6, 2, 5, 1, 4}, at::kByte)));
  const std::string black_and_white("\0\0\0\0\xff\xff\xff\0", 8);
  const Tensor bits = decode_bmp(bmp(9, 1, 1, black_and_white, std::string("\xa5\x80\0\0", 4)), "x");
  EXPECT_TRUE(bits.equal(at::tensor({255, 0, 255, 0, 0, 255, 0, 255, 255}, at::kByte).reshape({1, 1, 9})));
  EXPECT_THAT(error_of([&] { decode_bmp(colour.substr(0, colour.size() - 1), "x.bmp"); }),
              HasSubstr("x.bmp: not a readable BMP image: truncated"));
  EXPECT_THAT(error_of([&] { decode_bmp(bmp(1, 1, 4, black_and_white, std::string(4, '\x70')), "x.bmp"); }),
              HasSubstr("colour 7 of 2"));
  EXPECT_THAT(error_of([&] { decode_bmp(bmp(20000, 1, 24, "", ""), "x.bmp"); }), HasSubstr("at most 16384"));
  EXPECT_GT(survive_damage(colour, [](const std::string& damaged) { decode_bmp(damaged, "x"); }), 20);
}

}  // namespace
}  // namespace fokker
