// Bands, trajectories, fields and densities.
#include "fokker/core/random/rng.h"
#include "fokker/plot/chart/fields.h"
#include "fokker/plot/chart/kernel_density.h"
#include "fokker/plot/chart/path_picture.h"
#include "fokker/plot/figure/figure.h"
#include "fokker/plot/film/particle_film.h"
#include "fokker/plot/mark/bands.h"
#include "fokker/plot/mark/trajectories.h"
#include "pixels.h"
#include "plot/refusal.h"
#include "support.h"

namespace fokker::plot {
namespace {

Colour over(Colour below, Colour above, double alpha) {
  return {std::lerp(below.red, above.red, alpha), std::lerp(below.green, above.green, alpha),
          std::lerp(below.blue, above.blue, alpha), 1};
}

// At x the band of twice the deviation covers once, that of one deviation twice, and nothing beyond.
TEST(Bands, CoverTheirDeviations) {
  Figure figure({.width = 400, .height = 400});
  Axes& axes = figure.axes();
  axes.grid = false;
  const Tensor x = at::tensor({0.0, 1.0}, at::kDouble);
  add_deviation_bands(axes, x, 10 * x, 1 + x);
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  const Colour line = Theme::light().series(0), wide = over(Theme::light().background, line, 0.2);
  // At x = 1/2: mean 5, deviation 1.5.
  for (const double side : {-1.0, 1.0}) {
    expect_pixel(image, t.to_pixel({0.5, 5 + side * 0.8 * 1.5}), over(wide, line, 0.2), 2);
    expect_pixel(image, t.to_pixel({0.5, 5 + side * 1.6 * 1.5}), wide, 2);
    expect_pixel(image, t.to_pixel({0.5, 5 + side * 2.4 * 1.5}), Theme::light().background, 2);
  }
  const auto entries = axes.legend_entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].label, "± 2\\sigma");
  EXPECT_EQ(entries[1].label, "± \\sigma");
  EXPECT_EQ(entries[0].colour.in(Theme::dark()), entries[2].colour.in(Theme::dark()));
  EXPECT_EQ(entries[0].colour.in(Theme::dark()), Theme::dark().series(0));
  expect_refusal(ErrorKind::input, "low <= high but received 1 and 0 in row 1",
                 [&] { add_band(axes, x, x, at::zeros({2}, at::kDouble)); });
  expect_refusal(ErrorKind::input, "deviations >= 0", [&] { add_deviation_bands(axes, x, x, -x); });
}

// Each highlighted path ends in a disc of its own colour; the paths are spread over the rows.
TEST(Trajectories, HighlightSomeWithTheirEnds) {
  Figure figure({.width = 500, .height = 400});
  const Tensor times = at::tensor({0.0, 0.5, 1.0}, at::kDouble);
  const Tensor heights = at::arange(10, at::kDouble);
  add_trajectories(figure.axes(), times, heights.unsqueeze(1).expand({10, 3}), {.highlighted = 2});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  expect_pixel(image, t.to_pixel({1, 0}), Theme::light().series(1), 3);
  expect_pixel(image, t.to_pixel({1, 5}), Theme::light().series(2), 3);
  // A thin one is fainter than its colour.
  EXPECT_GT(brightness(image, t.to_pixel({0.75, 3})), 255 * (Theme::light().series(0).red + 0.05));
  expect_refusal(ErrorKind::input, "expected shape (any, 3)",
                 [&] { add_trajectories(figure.axes(), times, heights.unsqueeze(1)); });
  expect_refusal(ErrorKind::argument, "highlighted >= 0", [&] {
    add_planar_trajectories(figure.axes(), at::zeros({1, 1, 2}), {.highlighted = -1});
  });
}

// The colour of a place says the density there: the bar's ends are 0 and the maximum.
TEST(Fields, ShadeADensityFromTheBackground) {
  for (const Theme& theme : {Theme::light(), Theme::dark()}) {
    Figure figure({.width = 400, .height = 400, .theme = theme});
    add_density(figure.axes(), [](const Tensor& x) { return at::relu(1 - x.select(1, 0).abs()); },
                {{-2, 2}, {-1, 1}}, {.contours = 0});
    const auto scale = figure.axes().colour_scale(theme);
    ASSERT_TRUE(scale);
    EXPECT_EQ(scale->range.low, 0);
    EXPECT_NEAR(scale->range.high, 0.99, 1e-6) << "in the middle of the cell nearest to 0";
    const auto t = figure.layout().panels[0].transform;
    const Tensor image = figure.render();
    expect_pixel(image, t.to_pixel({-1.5, 0.3}), theme.background, 1);
    for (const double x : {-0.5, 0.25})
      expect_pixel(image, t.to_pixel({x, 0.3}), shading(theme)((1 - std::abs(x)) / 0.99), 5);
  }
  Axes axes;
  expect_refusal(ErrorKind::input, "values >= 0 but received -1", [&] {
    add_density(axes, [](const Tensor& x) { return -at::ones({x.size(0)}, at::kDouble); }, {{0, 1}, {0, 1}});
  });
  expect_refusal(ErrorKind::input, "expected shape", [&] {
    add_score_field(axes, [](const Tensor& x) { return x.select(1, 0); }, {{0, 1}, {0, 1}});
  });
}

// Time runs to the right and the coordinate upwards; 0 is the middle of the colours.
TEST(Fields, ShowAFunctionOverTime) {
  Figure figure({.width = 420, .height = 400});
  add_function_over_time(figure.axes(), [](const Tensor& x, double t) { return x * t; }, {0, 1}, {-1, 2});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  const double most = figure.axes().colour_scale(Theme::light())->range.high;
  EXPECT_EQ(figure.axes().colour_scale(Theme::light())->range.low, -most);
  EXPECT_NEAR(most, 2, 0.02);
  for (const Point at : {Point{0.9, 1.8}, Point{0.9, -0.8}, Point{0.1, 1.5}})
    expect_pixel(image, t.to_pixel(at), ColourMap::diverging()(0.5 + 0.5 * at.x * at.y / most), 4);
}

// Each time of a law relative to its own maximum: the ridge has one colour.
TEST(Fields, RelateADensityToItsMaximum) {
  Figure figure({.width = 420, .height = 400});
  add_function_over_time(
      figure.axes(),
      [](const Tensor& x, double t) { return (-(x - t) * (x - t) * 20).exp() / (0.1 + 5 * t); }, {0, 1},
      {-1, 2}, {.density = true, .relative = true});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (const double time : {0.1, 0.5, 0.9})
    expect_pixel(image, t.to_pixel({time, time}), shading(Theme::light())(1), 8);
}

TEST(Fields, ColourAFamilyOfLinesByItsParameter) {
  Figure figure({.width = 420, .height = 400});
  const Tensor x = at::tensor({0.0, 1.0}), y = at::tensor({0.0, 0.0, 1.0, 1.0, 4.0, 4.0}).reshape({3, 2});
  add_line_family(figure.axes(), x, y, at::tensor({0.0, 5.0, 10.0}), {.label = "t", .width = 5});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (int i = 0; i < 3; ++i)
    expect_pixel(image, t.to_pixel({0.5, y[i][0].item<double>()}), ColourMap::middle()(i / 2.0), 3);
  EXPECT_EQ(figure.axes().colour_scale(Theme::light())->range.high, 10);
}

// Without bandwidth all is a histogram; with one, a kernel estimate of a normal law is the normal law of
// variance 1 + h^2 (1/12 of a squared cell more) within its Monte Carlo error.
TEST(KernelDensity, IsTheLawBlurredByItsKernel) {
  const int64_t n = 200'000, cells = 60;
  const Tensor values = Rng(4).normal({n}, {}, at::kDouble);
  const Range range{-3, 3};
  const double h = 0.6, cell = range.span() / cells, variance = 1 + h * h + cell * cell / 12;
  const Tensor density = kernel_density(values, range, cells, h);
  const Tensor at = grid_points({range, {0, 1}}, 1, cells).select(1, 0);
  const Tensor exact = (-0.5 * at * at / variance).exp() / std::sqrt(2 * M_PI * variance);
  // Var f^(x) <= f(x) / (2 sqrt(pi) n h).
  const Tensor error = (exact / (2 * std::sqrt(M_PI) * static_cast<double>(n) * h)).sqrt();
  EXPECT_LT(((density - exact).abs() / (error + 1e-4)).max().item<double>(), 5);
}

TEST(KernelDensity, IntegratesToOneInThePlane) {
  const Tensor points = Rng(5).normal({5000, 2}, {}, at::kDouble);
  const Extent extent{{-7, 7}, {-8, 8}};
  const Tensor density = kernel_density(points, extent, 80, 70);
  EXPECT_NEAR(density.sum().item<double>() * (14.0 / 70) * (16.0 / 80), 1, 1e-9);
  // Half of the plane has the share of the points that lie there, but for those that the kernel carries over.
  const double right = density.narrow(1, 35, 35).sum().item<double>() * (14.0 / 70) * (16.0 / 80);
  EXPECT_NEAR(right, (points.select(1, 0) > 0).to(at::kDouble).mean().item<double>(), 0.01);
}

// Silverman's rule for a normal law; two modes far apart have the bandwidth of one.
TEST(KernelDensity, ChoosesABandwidthThatModesDoNotWiden) {
  const int64_t n = 40'000;
  const Tensor one = Rng(6).normal({n}, {}, at::kDouble);
  const double rule = std::pow(4.0 / (3.0 * static_cast<double>(n)), 0.2);
  // The shortest quarter is the least of many: a few per cent below.
  EXPECT_NEAR(kernel_bandwidth(one) / rule, 1, 0.06);
  EXPECT_NEAR(kernel_bandwidth(5 + 3 * one) / kernel_bandwidth(one), 3, 1e-9);
  const Tensor two = at::cat({one.narrow(0, 0, n / 5) - 5, one.narrow(0, n / 5, 4 * n / 5) + 5});
  EXPECT_LT(kernel_bandwidth(two) / rule, 1.5) << "the standard deviation is 4.1";
  expect_refusal(ErrorKind::input, "values that differ but all are 2",
                 [] { kernel_bandwidth(at::full({9}, 2.0)); });
}

// Axes stand still; frame and state belong together.
TEST(ParticleFilm, ShowsEachStateOnTheSameAxes) {
  const Tensor states =
      Rng(7).normal({5, 300, 2}, {}, at::kDouble) * at::arange(1, 6, at::kDouble).reshape({5, 1, 1});
  const ParticleFilm film(states, {0, 0.25, 0.5, 0.75, 1});
  EXPECT_EQ(film.frame(3).axes().title, "t = 0.75");
  for (int64_t step = 0; step < 5; ++step)
    EXPECT_EQ(film.frame(step).axes().x_limits().low, film.frame(0).axes().x_limits().low);
  EXPECT_EQ(film_step(film, 0, 3), 0);
  EXPECT_EQ(film_step(film, 1, 3), 2);
  EXPECT_EQ(film_step(film, 2, 3), 4);
  expect_refusal(ErrorKind::input, "a time for each", [&] { ParticleFilm(states, {0, 1}); });
  expect_refusal(ErrorKind::argument, "a step from 0 to 4", [&] { film.frame(5); });
}

// One coordinate: the exact curve passes where the density says, and is left out where there is none.
TEST(ParticleFilm, DrawsTheDensityThatItIsGiven) {
  const Tensor states = Rng(8).normal({2, 4000, 1}, {}, at::kDouble);
  const auto law = [](const Tensor& x, double t) {
    return t == 0 ? Tensor() : (-0.5 * x.select(1, 0).pow(2)).exp() / std::sqrt(2 * M_PI);
  };
  const ParticleFilm film(states, {0, 1}, law);
  EXPECT_EQ(film.frame(0).axes().legend_entries().size(), 1u);
  const Figure figure = film.frame(1);
  const auto t = figure.layout().panels[0].transform;
  for (const double x : {-1.0, 0.5})
    expect_pixel(figure.render(), t.to_pixel({x, std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI)}),
                 Theme::light().series(1), 40);
}

TEST(PathPicture, ShowsWherePathsOfAPlaneEnd) {
  const Tensor states = at::zeros({3, 40, 2}, at::kDouble);
  states[2].select(1, 0).fill_(1);
  const Figure figure = path_picture(states, {0, 1, 2}, {}, {.highlighted = 0});
  const auto t = figure.layout().panels[0].transform;
  expect_pixel(figure.render(), t.to_pixel({1, 0}), Theme::light().series(0), 3);
  expect_refusal(ErrorKind::input, "expected shape", [&] { path_picture(states, {0, 1}); });
  expect_refusal(ErrorKind::input, "d >= 2", [&] { state_panels(states.narrow(2, 0, 1), {0, 1, 2}); });
}

}  // namespace
}  // namespace fokker::plot
