#include "fokker/plot/mark/heatmap.h"

#include "fokker/plot/figure/figure.h"
#include "fokker/plot/mark/quiver.h"
#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

TEST(GridPoints, AreTheMiddlesOfTheCells) {
  const Tensor points = grid_points({{0, 3}, {10, 14}}, 2, 3);
  const Tensor expected =
      at::tensor({0.5, 11., 1.5, 11., 2.5, 11., 0.5, 13., 1.5, 13., 2.5, 13.}, at::kDouble).reshape({6, 2});
  EXPECT_TRUE(at::equal(points, expected));
}

TEST(Heatmap, ShowsEachCellInItsColourAndPlace) {
  Figure figure({.width = 400, .height = 300});
  const Extent extent{{0, 3}, {0, 2}};
  const Tensor grid = at::tensor({0., 1., 2., 3., 4., 5.}).reshape({2, 3});
  add_heatmap(figure.axes(), grid, extent);
  const auto t = figure.layout().panels[0].transform;
  EXPECT_EQ(t.x.low, 0);  // no padding around an image
  EXPECT_EQ(t.y.high, 2);
  const Tensor image = figure.render();
  const ColourMap map = ColourMap::sequential();
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 3; ++column)
      for (const double off : {0.1, 0.5, 0.9})
        expect_pixel(image, t.to_pixel({column + off, row + off}), map((3 * row + column) / 5.0));
}

TEST(Heatmap, SmoothOneIsExactForALinearFunction) {
  Figure figure({.width = 400, .height = 300});
  const Extent extent{{0, 1}, {0, 1}};
  const Tensor points = grid_points(extent, 8, 8);
  const Tensor grid = (points.select(1, 0) + 2 * points.select(1, 1)).reshape({8, 8});
  add_heatmap(figure.axes(), grid, extent, {.range = Range{0, 3}, .smooth = true});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (const Point p : {Point{0.3, 0.4}, {0.5, 0.5}, {0.71, 0.13}}) {
    const Point pixel = t.to_pixel(p), middle{std::floor(pixel.x) + 0.5, std::floor(pixel.y) + 0.5};
    const Point at = t.to_data(middle);
    expect_pixel(image, middle, ColourMap::sequential()((at.x + 2 * at.y) / 3), 1.5);
  }
}

TEST(Contours, OfARadialFunctionAreCircles) {
  const Extent extent{{-2, 2}, {-2, 2}};
  const Tensor points = grid_points(extent, 80, 80);
  const Tensor grid = (points * points).sum(1).reshape({80, 80});
  const auto segments = contour_segments(grid, extent, 1.0);
  double length = 0;
  for (const Segment& s : segments) {
    EXPECT_NEAR(std::hypot(s.from.x, s.from.y), 1, 1e-3);
    length += std::hypot(s.to.x - s.from.x, s.to.y - s.from.y);
  }
  EXPECT_NEAR(length, 2 * M_PI, 0.01);
  EXPECT_TRUE(contour_segments(grid, extent, 100).empty());
}

TEST(Contours, SaddlesAreCutByTheirMiddle) {
  const Extent extent{{0, 2}, {0, 2}};
  // High on one diagonal; the middle is 0.5. Above it the high corners are apart, below it the low ones are.
  const Tensor grid = at::tensor({1., 0., 0., 1.}).reshape({2, 2});
  for (const double level : {0.6, 0.4}) {
    const auto segments = contour_segments(grid, extent, level);
    ASSERT_EQ(segments.size(), 2u);
    for (const Segment& s : segments) {
      const bool around_rising_corner = (s.from.x - 1) * (s.from.y - 1) + (s.to.x - 1) * (s.to.y - 1) > 0;
      const Point m{0.5 * (s.from.x + s.to.x) - 1, 0.5 * (s.from.y + s.to.y) - 1};
      EXPECT_EQ(m.x * m.y > 0, level > 0.5) << around_rising_corner;
    }
  }
}

TEST(Heatmap, BadGridsAreRefused) {
  Axes axes;
  const Extent unit{{0, 1}, {0, 1}};
  expect_refusal(ErrorKind::input, "heatmap: expected finite values", [&] {
    add_heatmap(axes, at::full({2, 2}, NAN), unit);
  });
  expect_refusal(ErrorKind::input, "at least one value but received shape (0, 3)", [&] {
    add_heatmap(axes, at::zeros({0, 3}), unit);
  });
  expect_refusal(ErrorKind::input, "at least 2 x 2 values but received (1, 3)", [&] {
    add_contours(axes, at::zeros({1, 3}), unit);
  });
  expect_refusal(ErrorKind::argument, "increasing heat map limits", [&] {
    add_heatmap(axes, at::zeros({2, 2}), {{1, 0}, {0, 1}});
  });
  add_heatmap(axes, at::zeros({2, 2}), unit);  // constant values are fine
  EXPECT_GT(axes.colour_scale(Theme::light())->range.span(), 0);
}

TEST(Quiver, ArrowPointsWhereItsVectorLeads) {
  Figure figure({.width = 300, .height = 300});
  figure.axes().grid = false;
  figure.axes().x.limits = Range{-1, 1};
  figure.axes().y.limits = Range{-1, 1};
  const Colour colour = Colour::hex(0x801010);
  add_quiver(figure.axes(), at::zeros({1, 2}), at::tensor({0., 3.}).reshape({1, 2}), {.colour = colour});
  const Point at = figure.layout().panels[0].transform.to_pixel({0, 0});
  const Tensor image = figure.render();
  // One arrow is 60 pixels long, centred; its head is above, wider than its shaft.
  EXPECT_LT(darkest(image, {at.x, at.y - 26}, 1), 130);
  EXPECT_LT(darkest(image, {at.x, at.y + 26}, 1), 150);
  EXPECT_LT(brightness(image, {at.x + 2, at.y - 23}), 150);
  EXPECT_GT(brightness(image, {at.x + 3, at.y + 23}), 240);
  EXPECT_GT(darkest(image, {at.x, at.y - 36}, 2), 240);
  EXPECT_GT(darkest(image, {at.x + 26, at.y}, 2), 240);
}

TEST(Quiver, ColoursShowTheMagnitude) {
  Axes axes;
  add_quiver(axes, at::rand({4, 2}), at::tensor({3., 4., 0., 0., 1., 0., 0., 1.}).reshape({4, 2}));
  for (const Theme& theme : {Theme::light(), Theme::dark()}) {
    const auto scale = axes.colour_scale(theme);
    ASSERT_TRUE(scale);
    EXPECT_EQ(scale->range.high, 5);
    for (const double t : {0.0, 0.5, 1.0}) EXPECT_GT(contrast(scale->map(t), theme.background), 2.4) << t;
  }
  expect_refusal(ErrorKind::input, "expected 4 vectors, one for each position, but received 3", [&] {
    add_quiver(axes, at::zeros({4, 2}), at::zeros({3, 2}));
  });
}

}  // namespace
}  // namespace fokker::plot
