#include "fokker/plot/canvas/geometry.h"

#include "plot/refusal.h"

namespace fokker::plot {
namespace {

TEST(AxesTransform, MapsCornersAndMiddleExactly) {
  const AxesTransform t{{-2, 6}, {10, 20}, {100, 50, 500, 250}};
  EXPECT_EQ(t.to_pixel({-2, 10}).x, 100);
  EXPECT_EQ(t.to_pixel({-2, 10}).y, 250);
  EXPECT_EQ(t.to_pixel({6, 20}).x, 500);
  EXPECT_EQ(t.to_pixel({6, 20}).y, 50);
  EXPECT_EQ(t.to_pixel({2, 15}).x, 300);
  EXPECT_EQ(t.to_pixel({2, 15}).y, 150);
  // A quarter of the way, outside included.
  EXPECT_EQ(t.to_pixel({-4, 15}).x, 0);
}

TEST(AxesTransform, LogarithmicAxisPlacesDecadesEvenly) {
  const AxesTransform t{{1, 1000}, {1e-4, 1}, {0, 0, 300, 400}, Scale::logarithmic, Scale::logarithmic};
  EXPECT_NEAR(t.to_pixel({10, 1}).x, 100, 1e-9);
  EXPECT_NEAR(t.to_pixel({100, 1}).x, 200, 1e-9);
  EXPECT_NEAR(t.to_pixel({1, 1e-2}).y, 200, 1e-9);
  EXPECT_LT(t.to_pixel({0, 1}).x, -1000);  // not positive: far outside, but finite
  EXPECT_TRUE(std::isfinite(t.to_pixel({-1, 1}).x));
}

TEST(AxesTransform, InverseReturnsTheData) {
  for (const Scale scale : {Scale::linear, Scale::logarithmic}) {
    const AxesTransform t{{0.3, 7.7}, {1e-3, 40}, {33, 21, 611, 402}, scale, scale};
    for (const double x : {0.3, 1.1, 3.7, 7.7})
      for (const double y : {1e-3, 0.5, 39.0}) {
        const Point back = t.to_data(t.to_pixel({x, y}));
        EXPECT_NEAR(back.x, x, 1e-12 * x);
        EXPECT_NEAR(back.y, y, 1e-11 * 40);
      }
  }
}

TEST(Limits, PadBothSidesByTheFraction) {
  const Range limits = padded_limits({-1, 3}, Scale::linear, 0.25);
  EXPECT_DOUBLE_EQ(limits.low, -2);
  EXPECT_DOUBLE_EQ(limits.high, 4);
  const Range decades = padded_limits({1, 100}, Scale::logarithmic, 0.5);
  EXPECT_NEAR(decades.low, 0.1, 1e-12);
  EXPECT_NEAR(decades.high, 1000, 1e-9);
}

TEST(Limits, OfConstantDataHaveItInTheMiddle) {
  for (const double value : {0.0, 1.0, -3e-9, 1e12, -7e200}) {
    const Range limits = padded_limits({value, value}, Scale::linear, 0.04);
    EXPECT_LT(limits.low, value);
    EXPECT_GT(limits.high, value);
    EXPECT_NEAR(limits.middle(), value, 1e-9 * std::abs(value));
    EXPECT_NO_THROW(check_limits("x", limits, Scale::linear));
  }
  const Range positive = padded_limits({5, 5}, Scale::logarithmic, 0.04);
  EXPECT_NEAR(positive.high / positive.low, 10, 1e-12);
}

TEST(Limits, NonsenseIsRefusedByName) {
  const auto argument = ErrorKind::argument;
  expect_refusal(argument, "increasing x limits but received 2 to 1", [] {
    check_limits("x", {2, 1}, Scale::linear);
  });
  expect_refusal(argument, "finite y limits", [] { check_limits("y", {0, INFINITY}, Scale::linear); });
  expect_refusal(argument, "finite y limits", [] { check_limits("y", {-1.7e308, 1.7e308}, Scale::linear); });
  expect_refusal(argument, "further apart", [] { check_limits("x", {1, 1 + 1e-15}, Scale::linear); });
  expect_refusal(argument, "positive y values on a logarithmic axis but received 0", [] {
    check_limits("y", {0, 1}, Scale::logarithmic);
  });
  expect_refusal(argument, "finite range", [] { padded_limits({NAN, 1}, Scale::linear, 0); });
}

TEST(ClipSegment, CutsAtTheEdges) {
  const Rect box{0, 0, 10, 10};
  const auto across = clip_segment({{-10, 5}, {20, 5}}, box);
  ASSERT_TRUE(across);
  EXPECT_DOUBLE_EQ(across->from.x, 0);
  EXPECT_DOUBLE_EQ(across->to.x, 10);
  const auto diagonal = clip_segment({{5, 5}, {1e9, 1e9 + 5}}, box);
  ASSERT_TRUE(diagonal);
  EXPECT_NEAR(diagonal->to.x, 10, 1e-6);
  EXPECT_NEAR(diagonal->to.y, 10, 1e-6);
  EXPECT_FALSE(clip_segment({{-1, 0}, {-1, 10}}, box));  // parallel, outside
  EXPECT_FALSE(clip_segment({{-5, 4}, {4, -5}}, box));   // passes the corner
}

}  // namespace
}  // namespace fokker::plot
