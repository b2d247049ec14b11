// TIFF files as libtiff writes them.
#include "data/damage.h"
#include "fokker/core/check.h"
#include "fokker/image/image.h"
#include "image/tiff_bytes.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

class TiffFiles : public FolderTest {
 protected:
  std::string tiff(const Tensor& levels, const PrepareTiff& prepare = {}, int pages = 1) {
    return tiff_bytes(path("written.tif"), levels, prepare, pages);
  }
};

TEST_F(TiffFiles, HoldLevelsOfEightBits) {
  for (const int64_t samples : {1, 3, 4}) {
    const Tensor levels = at::randint(256, {5, 4, samples}, at::kLong).to(at::kByte);
    if (samples == 4) levels.select(2, 3).clamp_min_(128);
    const auto prepare = [&](TIFF* file) {
      uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
      if (samples == 4) TIFFSetField(file, TIFFTAG_EXTRASAMPLES, 1, &alpha);
      TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
    };
    const Tensor back = decode_tiff(tiff(levels, prepare), "x");
    ASSERT_EQ(back.sizes(), (std::vector<int64_t>{samples, 5, 4}));
    // With alpha libtiff rounds the product of the two, which costs a level or two at alpha 128.
    const Tensor gap = (back.permute({1, 2, 0}).to(at::kInt) - levels.to(at::kInt)).abs();
    EXPECT_LE(gap.max().item<int>(), samples == 4 ? 2 : 0) << samples;
  }
  const Tensor grey = at::arange(20, at::kByte).reshape({5, 4, 1});
  const auto white = [](TIFF* file) { TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE); };
  EXPECT_TRUE(decode_tiff(tiff(grey, white), "x").equal(255 - grey.permute({2, 0, 1})));
  const std::string pages = tiff(grey, {}, 2);
  EXPECT_THAT(error_of([&] { decode_tiff(pages, "x.tif"); }), HasSubstr("x.tif: expected a still image"));
  const std::string wide = tiff(at::ones({2, 2, 1}, at::kInt));
  EXPECT_THAT(error_of([&] { decode_tiff(wide, "x.tif"); }),
              HasSubstr("at most 16 bits a channel, or of floats, but it has 32 bits"));
  // The last four bytes say that no page follows: without them all of the image is still there.
  const std::string bytes = tiff(grey);
  const auto read = [&](const std::string& damaged) {
    if (damaged.size() < bytes.size() && damaged.size() >= bytes.size() - 4) check_input(false, "no end");
    decode_tiff(damaged, "x");
  };
  EXPECT_GT(survive_damage(bytes, read), 20);
}

// Brightness from 0 to 1 of any float type, compressed with a predictor of its own, upright and as white is
// stored; what another range means no file says.
TEST_F(TiffFiles, HoldFloatsFromZeroToOne) {
  const auto of_floats = [](TIFF* file) { TIFFSetField(file, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP); };
  const auto predicted = [&](TIFF* file) {
    of_floats(file);
    TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    TIFFSetField(file, TIFFTAG_PREDICTOR, PREDICTOR_FLOATINGPOINT);
  };
  for (const at::ScalarType type : {at::kHalf, at::kFloat, at::kDouble})
    for (const int64_t samples : {1, 3}) {
      const Tensor grid = at::arange(20 * samples, at::kDouble) / static_cast<double>(20 * samples - 1);
      const Tensor stored = grid.reshape({5, 4, samples}).to(type);
      const Tensor expected = (stored.to(at::kFloat) * 2 - 1).permute({2, 0, 1});
      ImageFacts facts;
      EXPECT_TRUE(decode_tiff(tiff(stored, of_floats), "x", &facts).equal(expected)) << samples;
      EXPECT_TRUE(facts.deep);
      EXPECT_TRUE(decode_tiff(tiff(stored, predicted), "x").equal(expected)) << samples;
    }
  const auto reversed = [&](TIFF* file) {
    of_floats(file);
    TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(file, TIFFTAG_ORIENTATION, ORIENTATION_TOPRIGHT);
  };
  const auto pair = [](double a, double b) { return at::tensor({a, b}, at::kFloat).reshape({1, 2, 1}); };
  EXPECT_TRUE(decode_tiff(tiff(pair(0, 0.75), reversed), "x")
                  .equal(at::tensor({-0.5, 1.0}, at::kFloat).reshape({1, 1, 2})));
  // As arithmetic rounds.
  EXPECT_TRUE(decode_tiff(tiff(pair(-1e-7, 1.0000001), of_floats), "x")
                  .equal(at::tensor({-1.0, 1.0}, at::kFloat).reshape({1, 1, 2})));
  const auto refusal = [&](double a, double b) {
    return error_of([&] { decode_tiff(tiff(pair(a, b), of_floats), "x.tif"); });
  };
  EXPECT_THAT(refusal(-0.5, 1), HasSubstr("x.tif: a TIFF of floats is read as brightness from 0 to 1 but its "
                                          "values are from -0.5 to 1: scale them"));
  EXPECT_THAT(refusal(0, 255), HasSubstr("from 0 to 255"));
  EXPECT_THAT(refusal(0, NAN), HasSubstr("it has NaN or infinity"));
}

}  // namespace
}  // namespace fokker
