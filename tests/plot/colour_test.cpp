#include "fokker/plot/canvas/colour.h"

#include "fokker/plot/figure/theme.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

TEST(Colour, LuminanceAndContrastOfKnownColours) {
  EXPECT_DOUBLE_EQ(luminance(Colour::hex(0x000000)), 0);
  EXPECT_NEAR(luminance(Colour::hex(0xffffff)), 1, 1e-12);
  EXPECT_NEAR(luminance(Colour::hex(0x00ff00)), 0.7152, 1e-12);
  EXPECT_NEAR(luminance(Colour::hex(0x808080)), 0.2158605, 1e-6);
  EXPECT_NEAR(contrast(Colour::hex(0xffffff), Colour::hex(0x000000)), 21, 1e-9);
}

TEST(Colour, MixKeepsItsEndsAndGreys) {
  const Colour red = Colour::hex(0xcc2211), blue = Colour::hex(0x1144dd);
  for (const auto& [mixed, end] : {std::pair(mix(red, blue, 0), red), std::pair(mix(red, blue, 1), blue)}) {
    EXPECT_NEAR(mixed.red, end.red, 2e-4);
    EXPECT_NEAR(mixed.green, end.green, 2e-4);
    EXPECT_NEAR(mixed.blue, end.blue, 2e-4);
  }
  const Colour grey = mix(Colour::hex(0x000000), Colour::hex(0xffffff), 0.5);
  EXPECT_NEAR(grey.red, grey.green, 1e-4);
  EXPECT_NEAR(luminance(grey), 0.125, 1e-4);  // Oklab lightness is a cube root
}

TEST(ColourMap, SequentialOneRisesInLuminance) {
  const ColourMap map = ColourMap::sequential();
  for (int i = 0; i < 1000; ++i) EXPECT_LT(luminance(map(i / 1000.0)), luminance(map((i + 1) / 1000.0))) << i;
  EXPECT_LT(luminance(map(0)), 0.03);
  EXPECT_GT(luminance(map(1)), 0.75);
  EXPECT_EQ(map(-1), map(0));
  EXPECT_EQ(map(2), map(1));
}

TEST(ColourMap, SequentialOneRisesEvenly) {
  const ColourMap map = ColourMap::sequential();
  // Cube root of luminance is close to lightness: no step of a tenth is twice the mean step.
  const double mean = (std::cbrt(luminance(map(1))) - std::cbrt(luminance(map(0)))) / 10;
  for (int i = 0; i < 10; ++i) {
    const double step = std::cbrt(luminance(map((i + 1) / 10.0))) - std::cbrt(luminance(map(i / 10.0)));
    EXPECT_GT(step, 0.5 * mean);
    EXPECT_LT(step, 1.6 * mean);
  }
}

TEST(ColourMap, DivergingOneIsLightestInTheMiddle) {
  const ColourMap map = ColourMap::diverging();
  for (int i = 0; i < 100; ++i) {
    EXPECT_LT(luminance(map(i / 200.0)), luminance(map((i + 1) / 200.0)));
    EXPECT_GT(luminance(map(0.5 + i / 200.0)), luminance(map(0.5 + (i + 1) / 200.0)));
  }
  EXPECT_GT(map(0).blue, map(0).red);
  EXPECT_GT(map(1).red, map(1).blue);
  expect_refusal(ErrorKind::argument, "at least 2 control colours but received 1",
                 [] { ColourMap({Colour{}}); });
}

TEST(Theme, TextAndSeriesStandOutFromTheBackground) {
  for (const Theme& theme : {Theme::light(), Theme::dark()}) {
    EXPECT_GT(contrast(theme.text, theme.background), 12);
    EXPECT_GT(contrast(theme.muted, theme.background), 3);
    for (const Colour& colour : theme.palette) EXPECT_GT(contrast(colour, theme.background), 3);
    EXPECT_LT(contrast(theme.grid, theme.background), 1.5);
    EXPECT_EQ(theme.series(9), theme.palette[1]);
  }
}

}  // namespace
}  // namespace fokker::plot
