#include "fokker/plot/canvas/canvas.h"

#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

constexpr TextStyle kStyle{.size = 20};

TEST(CanvasText, ScriptsStandBelowAndAboveTheLine) {
  Canvas canvas(ImageFormat::png, 10, 10);
  const TextSize plain = canvas.measure("x", kStyle), below = canvas.measure("x_t", kStyle),
                 above = canvas.measure("x^2", kStyle), both = canvas.measure("x_2^2", kStyle);
  EXPECT_GT(below.descent, plain.descent);
  EXPECT_EQ(below.ascent, plain.ascent);
  EXPECT_GT(above.ascent, plain.ascent);
  EXPECT_EQ(above.descent, plain.descent);
  EXPECT_DOUBLE_EQ(both.width, above.width);  // one above the other
  EXPECT_LT(above.width, canvas.measure("x2", kStyle).width);
}

TEST(CanvasText, MeasuresTheSameInEveryFormat) {
  Canvas png(ImageFormat::png, 10, 10, 3), svg(ImageFormat::svg, 10, 10), pdf(ImageFormat::pdf, 10, 10);
  const double width = png.measure("\\sigma_t = 10^{-3}", kStyle).width;
  EXPECT_NEAR(svg.measure("\\sigma_t = 10^{-3}", kStyle).width, width, 0.01 * width);
  EXPECT_NEAR(pdf.measure("\\sigma_t = 10^{-3}", kStyle).width, width, 0.01 * width);
}

TEST(CanvasText, FitShrinksThenCuts) {
  Canvas canvas(ImageFormat::png, 10, 10);
  const std::string label = "a label of some length";
  const double natural = canvas.measure(label, kStyle).width;
  EXPECT_EQ(canvas.fit(label, kStyle, natural + 1).style.size, 20);
  const auto smaller = canvas.fit(label, kStyle, 0.6 * natural);
  EXPECT_EQ(smaller.label, label);
  EXPECT_LT(smaller.style.size, 12.5);
  for (const double width : {0.3 * natural, 20.0, 0.0}) {
    const auto cut = canvas.fit(label, kStyle, width);
    EXPECT_EQ(cut.style.size, 8);
    EXPECT_LE(canvas.measure(cut.label, cut.style).width, width);
    if (width > 15) {
      EXPECT_THAT(cut.label, testing::EndsWith("…"));
    }
  }
  const auto greek = canvas.fit("ααααααααααααααα", kStyle, 40);
  EXPECT_THAT(greek.label, testing::MatchesRegex("(α)+…"));  // no half characters
  EXPECT_LT(canvas.fit(std::string(100000, 'i'), kStyle, 1e9).label.size(), 500u);
}

TEST(Canvas, TextIsDrawnInsideItsMeasure) {
  Canvas canvas(ImageFormat::png, 200, 200);
  canvas.fill(Rect{0, 0, 200, 200}, Colour::hex(0xffffff));
  const TextStyle style{
      .size = 24, .horizontal = HorizontalAlign::centre, .vertical = VerticalAlign::top, .upwards = true};
  canvas.text("Ag_j^2", {50, 100}, style);
  const TextSize size = canvas.measure("Ag_j^2", style);
  Tensor ink = (canvas.pixels()[0] < 250);
  EXPECT_GT(ink.sum().item<int64_t>(), 100);
  const Rect room{49, 100 - 0.5 * size.width - 1, 51 + size.height(), 100 + 0.5 * size.width + 1};
  ink.narrow(0, static_cast<int64_t>(room.top), static_cast<int64_t>(room.height()) + 1)
      .narrow(1, static_cast<int64_t>(room.left), static_cast<int64_t>(room.width()) + 1)
      .fill_(false);
  EXPECT_EQ(ink.sum().item<int64_t>(), 0);
}

TEST(Canvas, ImagesKeepTheirPixels) {
  Raster raster(3, 2);
  raster.set(0, 0, Colour::hex(0xff0000));
  raster.set(2, 1, Colour::hex(0x00ff40));
  raster.set(1, 0, Colour::hex(0x000000).with_alpha(0.5));
  Canvas canvas(ImageFormat::png, 20, 20);
  canvas.fill(Rect{0, 0, 20, 20}, Colour::hex(0xffffff));
  canvas.image(raster, {4, 6, 16, 14});  // four pixels each
  const Tensor image = canvas.pixels();
  expect_pixel(image, {4, 6}, Colour::hex(0xff0000));
  expect_pixel(image, {7, 9}, Colour::hex(0xff0000));
  expect_pixel(image, {15, 13}, Colour::hex(0x00ff40));
  expect_pixel(image, {9, 7}, Colour::hex(0x808080), 1.5);
  expect_pixel(image, {5, 11}, Colour::hex(0xffffff));  // never set: transparent
  expect_pixel(image, {3, 6}, Colour::hex(0xffffff));
}

TEST(Canvas, BadSizesAreRefused) {
  const auto argument = ErrorKind::argument;
  expect_refusal(argument, "positive size but received 0 x 5", [] { Canvas(ImageFormat::png, 0, 5); });
  expect_refusal(argument, "positive pixel ratio but received nan",
                 [] { Canvas(ImageFormat::png, 5, 5, NAN); });
  expect_refusal(argument, "PNG canvas", [] { Canvas(ImageFormat::svg, 5, 5).pixels(); });
}

}  // namespace
}  // namespace fokker::plot
