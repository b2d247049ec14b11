#include "fokker/image/image.h"

#include <png.h>
#include <webp/encode.h>
#include <zlib.h>

#include "data/damage.h"
#include "image/jpeg_bytes.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A smooth image (channels, height, width), so that JPEG keeps it closely.
Tensor ramp(int64_t channels, int64_t height, int64_t width) {
  const Tensor y = at::arange(height, at::kFloat).unsqueeze(1), x = at::arange(width, at::kFloat);
  std::vector<Tensor> planes;
  for (int64_t c = 0; c < channels; ++c) planes.push_back(y * 5 + x * 3 + static_cast<double>(40 * c));
  return at::stack(planes).to(at::kByte);
}

std::string webp_bytes(const Tensor& image) {
  const Tensor pixels = image.permute({1, 2, 0}).contiguous();
  const int height = static_cast<int>(pixels.size(0)), width = static_cast<int>(pixels.size(1));
  const int channels = static_cast<int>(pixels.size(2));
  const auto encode = channels == 4 ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB;
  uint8_t* out = nullptr;
  const size_t size = encode(pixels.data_ptr<uint8_t>(), width, height, width * channels, &out);
  std::string bytes(reinterpret_cast<char*>(out), size);
  WebPFree(out);
  return bytes;
}

std::string png_chunk(const std::string& body) {
  const auto big_endian = [](uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const auto* data = reinterpret_cast<const Bytef*>(body.data());
  return big_endian(static_cast<uint32_t>(body.size() - 4)) + body +
         big_endian(static_cast<uint32_t>(crc32(0, data, static_cast<uInt>(body.size()))));
}

/// A PNG file written by hand: the rest of IHDR after the sizes, other chunks, and rows with their filter
/// bytes.
std::string png_bytes(const std::string& sizes, const std::string& format, const std::string& rows,
                      const std::string& chunks = "") {
  std::string packed(compressBound(rows.size()), '\0');
  uLongf length = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(rows.data()),
           rows.size());
  packed.resize(length);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR" + sizes + format) + chunks + png_chunk("IDAT" + packed) +
         png_chunk("IEND");
}
const std::string two_by_one("\0\0\0\2\0\0\0\1", 8);

class Image : public FolderTest {};

TEST_F(Image, PngRoundTripsEveryChannelCount) {
  for (int64_t channels = 1; channels <= 4; ++channels) {
    const Tensor image = at::randint(256, {channels, 5, 7}, at::kLong).to(at::kByte);
    save_png(path("x.png"), image);
    EXPECT_TRUE(load_image(path("x.png")).equal(image)) << channels;
  }
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(Image, PngTakesFloatsInTheModelsRange) {
  const Tensor image =
      at::tensor({-1.0f, -0.6f, 0.0f, 0.6f, 1.0f, 3.0f, -3.0f}, at::kFloat).reshape({1, 1, 7});
  const Tensor expected = at::tensor({0, 51, 128, 204, 255, 255, 0}, at::kByte);
  EXPECT_TRUE(decode_png(encode_png(image), "x").flatten().equal(expected));
  EXPECT_TRUE(
      to_pixels(at::arange(256, at::kByte).to(at::kFloat) / 127.5 - 1).equal(at::arange(256, at::kByte)));
  EXPECT_THAT(error_of([&] { encode_png(image * std::nan("")); }, ErrorKind::argument), HasSubstr("NaN"));
  EXPECT_THAT(error_of(
                  [&] {
                    encode_png(at::ones({5, 2, 2}));
                  },
                  ErrorKind::argument),
              HasSubstr("1 to 4 channels, height, width) but received (5, 2, 2)"));
  EXPECT_THAT(error_of(
                  [&] {
                    encode_png(at::ones({1, 2, 2}, at::kLong));
                  },
                  ErrorKind::argument),
              HasSubstr("expected uint8, or floats"));
}

TEST_F(Image, PngExpandsPalettesBitsAndDepth) {
  const std::string palette = png_chunk("PLTE\x0a\x14\x1e\x28\x32\x3c");
  EXPECT_TRUE(
      decode_png(png_bytes(two_by_one, std::string("\1\3\0\0\0", 5), std::string("\0\x40", 2), palette), "x")
          .equal(at::tensor({10, 40, 20, 50, 30, 60}, at::kByte).reshape({3, 1, 2})));
  EXPECT_TRUE(decode_png(png_bytes(two_by_one, std::string("\1\0\0\0\0", 5), std::string("\0\x40", 2)), "x")
                  .equal(at::tensor({0, 255}, at::kByte).reshape({1, 1, 2})));
  // 16 bits are floats: nothing of 0x80ff is lost.
  EXPECT_TRUE(
      decode_png(png_bytes(two_by_one, std::string("\x10\0\0\0\0", 5), std::string("\0\x80\xff\xff\xff", 5)),
                 "x")
          .equal(at::tensor({0x80ff / 32767.5 - 1, 1.0}, at::kDouble).to(at::kFloat).reshape({1, 1, 2})));
}

TEST_F(Image, PngRefusesSizesBeforeItTakesMemory) {
  const auto refusal = [](const std::string& sizes) {
    return error_of(
        [&] { decode_png(png_bytes(sizes, std::string("\x8\2\0\0\0", 5), std::string(8, '\0')), "x.png"); });
  };
  EXPECT_THAT(refusal(std::string("\x7f\xff\xff\xff\0\0\0\1", 8)),
              HasSubstr("x.png: not a readable PNG image"));
  // 16000 x 16000 is allowed, but not out of a hundred bytes.
  EXPECT_THAT(refusal(std::string("\0\0\x3e\x80\0\0\x3e\x80", 8)),
              HasSubstr("truncated: it claims 16000 x 16000"));
  EXPECT_THAT(refusal(std::string("\0\0\0\2\0\0\0\3", 8)), HasSubstr("not a readable PNG image"));
}

TEST_F(Image, PngSurvivesDamage) {
  const std::string bytes = encode_png(ramp(3, 6, 5));
  const int refused = survive_damage(bytes, [](const std::string& damaged) { decode_png(damaged, "x"); });
  EXPECT_GT(refused, static_cast<int>(bytes.size())) << "each chunk has a checksum";
}

TEST_F(Image, ReadsJpeg) {
  for (const int64_t channels : {1, 3}) {
    const Tensor image = ramp(channels, 16, 24);
    const Tensor back = load_image(write("x.jpg", jpeg_bytes(image)));
    ASSERT_EQ(back.sizes(), image.sizes());
    EXPECT_LE((back.to(at::kInt) - image.to(at::kInt)).abs().max().item<int>(), 6) << channels;
  }
}

TEST_F(Image, JpegRefusesAndSurvivesDamage) {
  const std::string bytes = jpeg_bytes(ramp(3, 9, 10));
  EXPECT_THAT(error_of([&] { decode_jpeg(bytes.substr(0, bytes.size() - 40), "x.jpg"); }),
              HasSubstr("x.jpg: not a readable JPEG image: "));
  EXPECT_THAT(error_of([&] { decode_jpeg("", "x.jpg"); }), HasSubstr("x.jpg: not a readable JPEG image: "));
  EXPECT_THAT(error_of([&] { decode_jpeg(jpeg_bytes(ramp(4, 8, 8)), "x.jpg"); }), HasSubstr("it is CMYK"));
  std::string large = bytes;
  const size_t frame = large.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  large[frame + 5] = '\x7f';
  EXPECT_THAT(error_of([&] { decode_jpeg(large, "x.jpg"); }),
              HasSubstr("at most 16384 x 16384 pixels but it claims 10 x"));
  EXPECT_GT(survive_damage(bytes, [](const std::string& damaged) { decode_jpeg(damaged, "x"); }), 20);
}

TEST_F(Image, ReadsWebpAndSurvivesDamage) {
  for (const int64_t channels : {3, 4}) {
    const Tensor image = ramp(channels, 6, 7);
    EXPECT_TRUE(load_image(write("x.webp", webp_bytes(image))).equal(image));
  }
  const std::string bytes = webp_bytes(ramp(3, 6, 7));
  EXPECT_THAT(error_of([&] { decode_webp(bytes.substr(0, 40), "x.webp"); }),
              HasSubstr("x.webp: not a readable WebP"));
  survive_damage(bytes, [](const std::string& damaged) { decode_webp(damaged, "x"); });
  // One colour is short at any size: 4 megapixels are read, a claim of 64 in as many bytes is not.
  std::string plain = webp_bytes(at::full({3, 2000, 2000}, 7, at::kByte));
  EXPECT_EQ(decode_webp(plain, "x").sizes(), (std::vector<int64_t>{3, 2000, 2000}));
  for (const size_t i : {0, 1, 2, 3})  // width - 1 and height - 1 in 14 bits each, after the signature
    plain[21 + i] = static_cast<char>((8191U | 8191U << 14U) >> (8 * i));
  EXPECT_THAT(error_of([&] { decode_webp(plain, "x.webp"); }),
              HasSubstr("it claims 8192 x 8192 pixels but the"));
  EXPECT_THAT(error_of([&] { load_image(write("x.png", "PIG89a")); }),
              HasSubstr("expected a PNG, JPEG, WebP, GIF, TIFF or BMP image"));
}

TEST_F(Image, LoadsAFolderInTheOrderOfNames) {
  for (const int i : {2, 0, 1})
    write(fmt::format("f/{}.png", i), encode_png(at::full({1, 2, 3}, i, at::kByte)));
  write("f/readme.txt", "not an image");
  write("f/.hidden.png", "not an image");
  const Dataset data = load_image_folder(path("f"));
  EXPECT_EQ(data.values.sizes(), (std::vector<int64_t>{3, 1, 2, 3}));
  EXPECT_TRUE(data.values.select(3, 0).select(2, 0).flatten().equal(at::tensor({0, 1, 2}, at::kByte)));
  EXPECT_FALSE(data.labels.defined());
  EXPECT_TRUE(data.is_images());
}

TEST_F(Image, SubFoldersAreLabels) {
  write("f/dog/a.png", encode_png(at::full({1, 2, 2}, 1, at::kByte)));
  write("f/cat/z.PNG", encode_png(at::full({1, 2, 2}, 2, at::kByte)));
  write("f/dog/b.png", encode_png(at::full({1, 2, 2}, 3, at::kByte)));
  write("f/notes/x.txt", "");
  const Dataset data = load_image_folder(path("f"));
  EXPECT_THAT(data.label_names, ElementsAre("cat", "dog"));
  EXPECT_TRUE(data.labels.equal(at::tensor({0, 1, 1}, at::kLong)));
  EXPECT_TRUE(data.values.flatten(1).select(1, 0).equal(at::tensor({2, 1, 3}, at::kByte)));
  write("f/top.png", encode_png(at::full({1, 2, 2}, 1, at::kByte)));
  EXPECT_THAT(error_of([&] { load_image_folder(path("f")); }), HasSubstr("found both (top.png and cat)"));
}

TEST_F(Image, FolderNamesWhatDiffers) {
  write("f/a.png", encode_png(at::full({1, 2, 3}, 10, at::kByte)));
  write("f/b.png", encode_png(at::full({1, 4, 4}, 20, at::kByte)));
  const std::string message = error_of([&] { load_image_folder(path("f")); });
  EXPECT_THAT(message, HasSubstr("b.png: 4 x 4 pixels, but "));
  EXPECT_THAT(message, HasSubstr("a.png has 3 x 2"));
  const Dataset resized = load_image_folder(path("f"), {.size = {2, 2}});
  EXPECT_TRUE(resized.values.select(3, 0).select(2, 0).flatten().equal(at::tensor({10, 20}, at::kByte)));
  write("f/b.png", encode_png(at::full({3, 2, 3}, 20, at::kByte)));
  EXPECT_THAT(error_of([&] { load_image_folder(path("f")); }), HasSubstr("b.png: 3 channels, but "));
  EXPECT_EQ(load_image_folder(path("f"), {.channels = 3}).values.size(1), 3);
  write("f/c.png", "junk");
  EXPECT_THAT(error_of([&] { load_image_folder(path("f"), {.channels = 3}); }),
              HasSubstr("c.png: expected a PNG"));
  std::filesystem::create_directories(path("empty"));
  EXPECT_THAT(error_of([&] { load_image_folder(path("empty")); }), HasSubstr("no images (.png"));
  EXPECT_THAT(error_of([&] { load_image_folder(path("none")); }), HasSubstr("none: no such folder"));
}

}  // namespace
}  // namespace fokker
