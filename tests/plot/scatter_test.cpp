#include "fokker/plot/mark/scatter.h"

#include "fokker/core/random/rng.h"
#include "fokker/plot/figure/figure.h"
#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

TEST(DensityCounts, ConserveThePointsInsideTheLimits) {
  const Tensor points = Rng(3).normal({50000, 2});
  const AxesTransform t{{-1.3, 2.1}, {-0.7, 0.9}, {40, 30, 337, 291}};
  const auto x = points.select(1, 0), y = points.select(1, 1);
  const int64_t inside = ((x >= -1.3) & (x <= 2.1) & (y >= -0.7) & (y <= 0.9)).sum().item<int64_t>();
  EXPECT_EQ(density_counts(points, t, 261, 297).sum().item<double>(), static_cast<double>(inside));
  EXPECT_EQ(density_counts(points, t, 3, 7).sum().item<double>(), static_cast<double>(inside));
}

TEST(DensityCounts, PutPointsInTheirCells) {
  const AxesTransform t{{0, 4}, {0, 2}, {0, 0, 400, 200}};
  const Tensor points =
      at::tensor({0.5, 1.5, 3.5, 0.5, 3.5, 0.6, 4.0, 2.0, 0.0, 0.0, 4.1, 1.0}).reshape({6, 2});
  const Tensor expected = at::tensor({1., 0., 0., 1., 1., 0., 0., 2.}).reshape({2, 4});  // row 0 on top
  EXPECT_TRUE(at::equal(density_counts(points, t, 2, 4), expected.to(at::kFloat)));
}

TEST(Scatter, DrawsAPointWhereItIs) {
  Figure figure({.width = 300, .height = 240});
  figure.axes().grid = false;
  figure.axes().x.limits = Range{0, 10};
  figure.axes().y.limits = Range{0, 10};
  const Colour colour = Colour::hex(0xc02020);
  add_scatter(figure.axes(), at::tensor({2.5, 7.0}).reshape({1, 2}),
              {.colour = colour, .radius = 4, .alpha = 1});
  const Point at = figure.layout().panels[0].transform.to_pixel({2.5, 7.0});
  const Tensor image = figure.render();
  expect_pixel(image, at, colour);
  const Colour background = figure.options().theme.background;
  for (const Point off : {Point{7, 0}, {-7, 0}, {0, 7}, {0, -7}})
    expect_pixel(image, {at.x + off.x, at.y + off.y}, background);
  // And the area is that of the disc.
  const double red_pixels = (image[1] < 140).logical_and(image[0] > 180).sum().item<double>();
  EXPECT_NEAR(red_pixels, M_PI * 16, 12);
}

TEST(Scatter, DensityImageShowsSinglePointsAndDarkensWithDensity) {
  Figure figure({.width = 400, .height = 400});
  figure.axes().grid = false;
  figure.axes().x.limits = Range{0, 10};
  figure.axes().y.limits = Range{0, 10};
  const Tensor dense = at::full({30000, 2}, 2.0) + 0.5 * Rng(1).normal({30000, 2}).clamp(-1.8, 1.8);
  const Tensor single = at::full({1, 2}, 8.0);
  add_scatter(figure.axes(), at::cat({dense, single}, 0));
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  const Point alone = t.to_pixel({8, 8}), middle = t.to_pixel({2, 2}), empty = t.to_pixel({8, 2});
  EXPECT_GT(brightness(image, empty) - darkest(image, alone, 2), 40);
  EXPECT_GT(darkest(image, alone, 2) - brightness(image, middle), 60);
  EXPECT_NEAR(brightness(image, empty), 255, 0.5);
}

TEST(Scatter, VeryManyPointsAreTheSameAtAnyOrder) {
  const Tensor points = Rng(5).normal({30000, 2});
  Figure one, two;
  add_scatter(one.axes(), points);
  add_scatter(two.axes(), points.flip({0}));
  EXPECT_TRUE(at::equal(one.render(), two.render()));
}

TEST(Scatter, ManyPointsGetSmallerAndFainter) {
  for (int64_t n = 10; n <= 1000000; n *= 10) {
    EXPECT_GE(scatter_radius(n), scatter_radius(10 * n));
    EXPECT_GE(scatter_alpha(n), scatter_alpha(10 * n));
  }
  EXPECT_EQ(scatter_radius(10), 4);
  EXPECT_LT(scatter_radius(20000), 1.3);
}

TEST(Scatter, BadPointsAreRefused) {
  Figure figure;
  Tensor points = at::zeros({5, 2});
  points[3][1] = NAN;
  expect_refusal(ErrorKind::input, "scatter: expected finite values but received nan in row 3",
                 [&] { add_scatter(figure.axes(), points); });
  expect_refusal(ErrorKind::input, "expected shape (any, 2) but received (4, 3)", [&] {
    add_scatter(figure.axes(), at::zeros({4, 3}));
  });
  expect_refusal(ErrorKind::input, "real numbers", [&] { add_scatter(figure.axes(), Tensor()); });
  expect_refusal(ErrorKind::argument, "positive radius but received -1", [&] {
    add_scatter(figure.axes(), at::zeros({4, 2}), {.radius = -1});
  });
  expect_refusal(ErrorKind::argument, "alpha in (0, 1] but received 2", [&] {
    add_scatter(figure.axes(), at::zeros({4, 2}), {.alpha = 2});
  });
  EXPECT_TRUE(figure.axes().marks().empty());
}

TEST(Scatter, OnePointAndNoPointsHaveSaneLimits) {
  Figure figure;
  add_scatter(figure.axes(), at::empty({0, 2}));
  EXPECT_EQ(figure.axes().x_limits().low, 0);
  EXPECT_EQ(figure.axes().x_limits().high, 1);
  add_scatter(figure.axes(), at::full({1, 2}, 42.0));
  EXPECT_NEAR(figure.axes().x_limits().middle(), 42, 1e-12);
  EXPECT_GT(figure.axes().y_limits().span(), 0.5);
  EXPECT_NO_THROW(figure.render());
}

}  // namespace
}  // namespace fokker::plot
