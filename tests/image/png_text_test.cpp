#include "fokker/image/png_text.h"

#include <gmock/gmock.h>

#include "data/damage.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

std::string grey_png() {
  return encode_png(at::arange(16, at::kByte).view({1, 4, 4}));
}

TEST(PngText, RoundTripsAndLeavesThePixels) {
  const PngTexts texts = {
      {"Command", "fokker sample 'a b'\nsecond line"}, {"Seed", "7"}, {"Model", "r\xc3\xa9sum\xc3\xa9"}};
  const std::string png = with_png_texts(grey_png(), texts, "x.png");
  EXPECT_EQ(read_png_texts(png, "x.png"), texts);
  // libpng checks the checksums of the chunks.
  EXPECT_TRUE(decode_png(png, "x.png").equal(decode_png(grey_png(), "x.png")));
  // Written again, a keyword's text takes the place of the one before.
  const std::string again = with_png_texts(png, {{"Seed", "8"}}, "x.png");
  EXPECT_EQ(read_png_texts(again, "x.png").at("Seed"), "8");
  EXPECT_EQ(read_png_texts(again, "x.png").size(), 3u);
  EXPECT_EQ(again.size(), png.size());
}

// The chunk of W3C PNG, 11.3.3.2: keyword, NUL, Latin-1.
TEST(PngText, ReadsPlainTextOfOthers) {
  std::string png = grey_png();
  const std::string chunk = from_hex("00000008") + "tEXtAuthor" + from_hex("00e9") + from_hex("00000000");
  png.insert(33, chunk);
  EXPECT_EQ(read_png_texts(png, "x.png").at("Author"), "\xc3\xa9");
}

TEST(PngText, RefusesWhatIsNone) {
  EXPECT_THAT(error_of([] { read_png_texts("GIF89a", "x.gif"); }), HasSubstr("x.gif: expected a PNG file"));
  EXPECT_THAT(error_of([] { read_png_texts(grey_png().substr(0, 40), "x"); }), HasSubstr("truncated"));
  EXPECT_THAT(error_of(
                  [] {
                    with_png_texts(grey_png(), {{"", "a"}}, "x");
                  },
                  ErrorKind::argument),
              HasSubstr("keyword"));
  EXPECT_THAT(error_of(
                  [] {
                    with_png_texts(grey_png(), {{"a", "\xff"}}, "x");
                  },
                  ErrorKind::argument),
              HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace fokker
