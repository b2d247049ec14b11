#include <gif_lib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "data/damage.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/data/load.h"
#include "fokker/data/normalisation.h"
#include "fokker/image/image.h"
#include "fokker/image/orientation.h"
#include "image/jpeg_bytes.h"
#include "image/tiff_bytes.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string big_endian(uint32_t value, int count) {
  std::string bytes;
  for (int i = count - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// EXIF data that holds an orientation and nothing else, in the byte order of Motorola.
std::string exif_bytes(int orientation) {
  return std::string("MM\0*\0\0\0\x08\0\x01", 10) + big_endian(0x0112, 2) + big_endian(3, 2) +
         big_endian(1, 4) + big_endian(static_cast<uint32_t>(orientation), 2) + std::string(6, '\0');
}

/// Bright in the upper left of three rows and six columns of 8 x 8 blocks; each block of its own level.
Tensor seen_image() {
  const Tensor blocks =
      (at::arange(6, at::kInt) * 12 + at::arange(3, at::kInt).unsqueeze(1) * 80).to(at::kByte);
  return blocks.repeat_interleave(8, 0).repeat_interleave(8, 1).unsqueeze(0);
}

/// How a camera stores that image under each orientation, by the words of the standard: where the first row
/// and the first column of what is stored are seen.
Tensor stored_image(int orientation) {
  const Tensor seen = seen_image();
  const auto rows_up = seen.flip({1}), columns_back = seen.flip({2});
  switch (orientation) {
    case 2:
      return columns_back;  // top, right
    case 3:
      return rows_up.flip({2});  // bottom, right
    case 4:
      return rows_up;  // bottom, left
    case 5:
      return seen.transpose(1, 2);  // left, top
    case 6:
      return columns_back.transpose(1, 2);  // right, top
    case 7:
      return rows_up.flip({2}).transpose(1, 2);  // right, bottom
    case 8:
      return rows_up.transpose(1, 2);  // left, bottom
    default:
      return seen;  // top, left
  }
}

std::string webp_with_exif(const Tensor& grey, const std::string& exif) {
  const Tensor pixels = grey[0].unsqueeze(2).expand({-1, -1, 3}).contiguous();
  uint8_t* encoded = nullptr;
  const int width = static_cast<int>(pixels.size(1)), height = static_cast<int>(pixels.size(0));
  const size_t size = WebPEncodeLosslessRGB(pixels.data_ptr<uint8_t>(), width, height, width * 3, &encoded);
  const WebPData image{encoded, size}, chunk{reinterpret_cast<const uint8_t*>(exif.data()), exif.size()};
  WebPMux* mux = WebPMuxNew();
  WebPMuxSetImage(mux, &image, 1);
  WebPMuxSetChunk(mux, "EXIF", &chunk, 1);
  WebPData out{};
  WebPMuxAssemble(mux, &out);
  std::string bytes(reinterpret_cast<const char*>(out.bytes), out.size);
  WebPDataClear(&out);
  WebPMuxDelete(mux);
  WebPFree(encoded);
  return bytes;
}

class ImageFormats : public FolderTest {
 protected:
  std::string tiff(const Tensor& levels, const PrepareTiff& prepare = {}) {
    return tiff_bytes(path("written.tif"), levels, prepare);
  }

  struct Gif {
    int transparent = NO_TRANSPARENT_COLOR, frames = 1;
    bool interlaced = false;
  };
  /// Indices (height, width) into the colours (10 i, 255 - 10 i, i).
  std::string gif(const Tensor& indices, const Gif& options) {
    const std::string file = path("written.gif").string();
    int error = 0;
    GifFileType* out = EGifOpenFileName(file.c_str(), false, &error);
    EGifSetGifVersion(out, true);
    ColorMapObject* map = GifMakeMapObject(16, nullptr);
    for (int i = 0; i < 16; ++i)
      map->Colors[i] = {static_cast<GifByteType>(10 * i), static_cast<GifByteType>(255 - 10 * i),
                        static_cast<GifByteType>(i)};
    const int height = static_cast<int>(indices.size(0)), width = static_cast<int>(indices.size(1));
    EGifPutScreenDesc(out, width, height, 4, 0, map);
    std::vector<int> rows;
    for (int y = 0; y < height; ++y) rows.push_back(y);
    if (options.interlaced) rows = {0, 4, 2, 1, 3, 5};  // of six
    for (int frame = 0; frame < options.frames; ++frame) {
      const GraphicsControlBlock control{0, false, 0, options.transparent};
      GifByteType extension[4];
      EGifGCBToExtension(&control, extension);
      EGifPutExtension(out, GRAPHICS_EXT_FUNC_CODE, 4, extension);
      EGifPutImageDesc(out, 0, 0, width, height, options.interlaced, nullptr);
      for (const int y : rows) EGifPutLine(out, indices.data_ptr<uint8_t>() + y * width, width);
    }
    GifFreeMapObject(map);
    EGifCloseFile(out, &error);
    return read_file(file);
  }
};

TEST_F(ImageFormats, AreSeenUprightByTheirOrientation) {
  const Tensor seen = seen_image();
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Tensor stored = stored_image(orientation);
    const std::string exif = exif_bytes(orientation);
    EXPECT_EQ(exif_orientation(exif), orientation);
    EXPECT_TRUE(upright(stored, orientation).equal(seen)) << orientation;
    ImageFacts facts;
    const Tensor jpeg = decode_jpeg(jpeg_bytes(stored, exif), "x", &facts);
    ASSERT_EQ(jpeg.sizes(), seen.sizes()) << orientation;
    EXPECT_LE((jpeg.to(at::kInt) - seen.to(at::kInt)).abs().max().item<int>(), 2) << orientation;
    EXPECT_EQ(facts.turned, orientation != 1);
    EXPECT_TRUE(decode_webp(webp_with_exif(stored, exif), "x").narrow(0, 0, 1).equal(seen)) << orientation;
    const auto set = [&](TIFF* file) { TIFFSetField(file, TIFFTAG_ORIENTATION, orientation); };
    EXPECT_TRUE(decode_tiff(tiff(stored.permute({1, 2, 0}).contiguous(), set), "x").equal(seen))
        << orientation;
    const Tensor deep = stored.permute({1, 2, 0}).to(at::kShort).contiguous();
    EXPECT_TRUE(decode_tiff(tiff(deep, set), "x").equal(seen.to(at::kFloat) / 32767.5 - 1)) << orientation;
  }
  EXPECT_EQ(exif_orientation("nonsense"), 1);
  EXPECT_EQ(exif_orientation(exif_bytes(9)), 1);
  EXPECT_EQ(exif_orientation(""), 1);
}

TEST_F(ImageFormats, DamagedExifTurnsNothing) {
  const std::string exif = exif_bytes(6);
  for (size_t length = 0; length < 18; ++length) EXPECT_EQ(exif_orientation(exif.substr(0, length)), 1);
  for (size_t i = 0; i < exif.size(); ++i) {
    std::string damaged = exif;
    damaged[i] = static_cast<char>(~damaged[i]);
    const int orientation = exif_orientation(damaged);
    EXPECT_TRUE(orientation >= 1 && orientation <= 8) << i;
  }
}

TEST_F(ImageFormats, AFolderKeepsSixteenBitsAndTransparency) {
  const Tensor levels = at::tensor({0, 1, 119, 65535}, at::kInt).reshape({2, 2, 1});
  write("deep/a.tif", tiff(levels.to(at::kShort)));
  write("deep/b.png", encode_png(at::tensor({0, 51, 204, 255}, at::kByte).reshape({1, 2, 2})));
  const Dataset deep = load_image_folder(path("deep"));
  const Tensor expected =
      at::tensor({-1.0, 1 / 32767.5 - 1, 119 / 32767.5 - 1, 1.0, -1.0, -0.6, 0.6, 1.0}, at::kDouble);
  EXPECT_LT((deep.values.flatten().to(at::kDouble) - expected).abs().max().item<double>(), 1e-7);
  EXPECT_THAT(deep.notes, ElementsAre(HasSubstr("2 images: 1 of more than 8 bits")));

  // Half transparent black over white is (1 - a) white.
  Tensor clear = at::zeros({4, 1, 2}, at::kByte);
  clear[3] = at::tensor({102, 255}, at::kByte).reshape({1, 2});
  write("clear/a.png", encode_png(clear));
  EXPECT_TRUE(load_image_folder(path("clear")).values[0].equal(clear));
  EXPECT_THAT(load_image_folder(path("clear")).notes, ElementsAre(HasSubstr("alpha is channel 4 of 4")));
  const Dataset white = load_image_folder(path("clear"), {.channels = 3});
  EXPECT_TRUE(white.values[0].equal(at::tensor({153, 0}, at::kByte).reshape({1, 1, 2}).expand({3, 1, 2})));
  EXPECT_THAT(white.notes, ElementsAre(HasSubstr("1 transparent, laid over white")));
  const Tensor floats = over_white(at::tensor({-1.0f, -0.2f}, at::kFloat).reshape({2, 1, 1}));
  EXPECT_NEAR(floats.item<double>(), 1 - 2 * 0.4, 1e-6);

  clear[3].fill_(255);
  write("opaque/a.png", encode_png(clear));
  EXPECT_EQ(load_image_folder(path("opaque")).values.size(1), 3);
  EXPECT_THAT(load_image_folder(path("opaque")).notes, ElementsAre(HasSubstr("all opaque")));
}

TEST_F(ImageFormats, AFolderSaysWhatItSkips) {
  for (const char* name : {"f/a.png", "f/b.png"}) write(name, encode_png(at::full({1, 2, 2}, 7, at::kByte)));
  EXPECT_TRUE(load_image_folder(path("f")).notes.empty());
  for (const char* name : {"f/notes.txt", "f/c.heic", "f/d.heic", "f/.hidden", "f/raw/x.dng"})
    write(name, "x");
  EXPECT_THAT(
      load_image_folder(path("f")).notes,
      ElementsAre(
          "2 images; skipped 3 other files (2 .heic, 1 .txt), the folder 'raw', without images of its "
          "own"));
  write("deep/cat/a.png", encode_png(at::full({1, 2, 2}, 7, at::kByte)));
  write("deep/cat/kittens/b.png", encode_png(at::full({1, 2, 2}, 7, at::kByte)));
  EXPECT_THAT(load_image_folder(path("deep")).notes,
              ElementsAre(HasSubstr("the folder 'kittens', two levels down")));
  write("none/a.heic", "x");
  EXPECT_THAT(error_of([&] { load_image_folder(path("none")); }),
              HasSubstr("skipped 1 other file (1 .heic)"));
}

TEST_F(ImageFormats, ReadsStillsOfGif) {
  const Tensor indices = (at::arange(6 * 5, at::kLong) % 16).to(at::kByte).reshape({6, 5});
  const Tensor i = indices.to(at::kInt);
  const Tensor expected = at::stack({10 * i, 255 - 10 * i, i}).to(at::kByte);
  for (const bool interlaced : {false, true}) {
    ImageFacts facts;
    EXPECT_TRUE(decode_gif(gif(indices, {.interlaced = interlaced}), "x", &facts).equal(expected))
        << interlaced;
    EXPECT_TRUE(facts.palette);
  }
  const Tensor clear = decode_gif(gif(indices, {.transparent = 3}), "x");
  EXPECT_TRUE(clear[3].eq(0).equal(indices.eq(3)));
  const std::string film = gif(indices, {.frames = 2});
  EXPECT_THAT(error_of([&] { decode_gif(film, "x.gif"); }), HasSubstr("x.gif: expected a still image"));
  const std::string bytes = gif(indices, {});
  EXPECT_THAT(error_of([&] { decode_gif(bytes.substr(0, bytes.size() - 12), "x.gif"); }),
              HasSubstr("x.gif: not a readable GIF image"));
  EXPECT_GT(survive_damage(bytes, [](const std::string& damaged) { decode_gif(damaged, "x"); }), 20);
}

TEST_F(ImageFormats, AreConvertedMirroredAndResizedOnReading) {
  const Tensor levels = at::tensor({1, 2, 3, 4}, at::kByte).reshape({1, 1, 2, 2});
  write("a/0.png", encode_png(levels[0]));
  const Dataset both = load_data(path("a"), {.channels = 3, .mirrored = true});
  EXPECT_EQ(both.values.sizes(), (std::vector<int64_t>{2, 3, 2, 2}));
  EXPECT_TRUE(both.values.select(1, 2)[1].equal(at::tensor({2, 1, 4, 3}, at::kByte).reshape({2, 2})));
  write("b/0.png", encode_png(at::full({1, 4, 8}, 9, at::kByte)));
  write("b/1.png", encode_png(at::full({1, 5, 5}, 9, at::kByte)));
  EXPECT_EQ(load_data(path("b"), {.image_size = {6, 3}}).values.sizes(), (std::vector<int64_t>{2, 1, 3, 6}));
  EXPECT_THAT(error_of([&] { load_data(path("b")); }), HasSubstr("give a size, WIDTHxHEIGHT, to which"));
  write("t.csv", "a\n1\n2\n");
  EXPECT_THAT(error_of([&] { load_data(path("t.csv"), {.mirrored = true}); }, ErrorKind::argument),
              HasSubstr("are for images, but it holds a table"));
}

}  // namespace
}  // namespace fokker
