#include "fokker/plot/mark/lines.h"

#include "fokker/plot/figure/figure.h"
#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

const Colour kInk = Colour::hex(0x101080);

Figure plain_figure() {
  Figure figure({.width = 400, .height = 300});
  figure.axes().grid = false;
  return figure;
}

TEST(Lines, PassThroughTheirPoints) {
  Figure figure = plain_figure();
  add_curve(figure.axes(), [](double x) { return x * x; }, {-1, 1}, {.colour = kInk, .width = 3});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (const double x : {-0.9, -0.5, 0.0, 0.3, 0.8}) {
    expect_pixel(image, t.to_pixel({x, x * x}), kInk, 4);
    EXPECT_GT(brightness(image, t.to_pixel({x, x * x + 0.15})), 250);
  }
}

TEST(Lines, OnALogarithmicAxisAPowerIsStraight) {
  Figure figure = plain_figure();
  figure.axes().x.scale = figure.axes().y.scale = Scale::logarithmic;
  add_line(figure.axes(), at::tensor({1.0, 1000.0}), at::tensor({1e-6, 1.0}), {.colour = kInk, .width = 3});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (const double x : {3.0, 10.0, 200.0}) expect_pixel(image, t.to_pixel({x, 1e-6 * x * x}), kInk, 4);
}

TEST(Lines, ThatLeaveThePanelFarKeepTheirDirection) {
  Figure figure = plain_figure();
  figure.axes().x.limits = Range{0, 1};
  figure.axes().y.limits = Range{0, 1};
  add_line(figure.axes(), at::tensor({-1e9, 1e9}, at::kDouble),
           at::tensor({-1e9 + 0.2, 1e9 + 0.2}, at::kDouble), {.colour = kInk, .width = 4});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  for (const double x : {0.1, 0.5, 0.75}) expect_pixel(image, t.to_pixel({x, x + 0.2}), kInk, 4);
}

TEST(Lines, OfManyPointsKeepTheirPeaks) {
  Figure figure = plain_figure();
  const int64_t count = 200000;
  Tensor y = at::zeros({count}, at::kDouble);
  y[123456] = 1.0;  // one point among 500 in its pixel column
  add_line(figure.axes(), at::arange(count), y, {.colour = kInk, .width = 2});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  EXPECT_LT(darkest(image, t.to_pixel({123456, 0.5}), 1), 120);
  EXPECT_LT(darkest(image, t.to_pixel({123456, 0.95}), 1), 120);
  EXPECT_GT(darkest(image, t.to_pixel({110000, 0.5}), 1), 250);
  EXPECT_LT(figure.encode(ImageFormat::svg).size(), 200000u);
}

TEST(Lines, PathsInThePlaneAndFamiliesShareOneColour) {
  Axes axes;
  add_paths(axes, at::rand({5, 7, 2}));
  add_lines(axes, at::arange(4), at::rand({3, 4}));
  ASSERT_EQ(axes.marks().size(), 2u);
  EXPECT_EQ(axes.marks()[0]->legend()->colour.index, 0u);
  EXPECT_EQ(axes.marks()[1]->legend()->colour.index, 1u);
  EXPECT_EQ(axes.marks()[1]->bounds()->x.high, 3);
}

TEST(Lines, BadValuesAreRefused) {
  Axes axes;
  expect_refusal(ErrorKind::input, "expected shape (any, 3) but received (1, 4)",
                 [&] { add_line(axes, at::arange(3), at::zeros({4})); });
  expect_refusal(ErrorKind::input, "paths: expected shape (any, any, 2)", [&] {
    add_paths(axes, at::zeros({3, 2}));
  });
  expect_refusal(ErrorKind::input, "but received inf at 0", [&] {
    add_curve(axes, [](double x) { return 1 / x; }, {0, 1});
  });
  Figure figure;
  figure.axes().y.scale = Scale::logarithmic;
  add_line(figure.axes(), at::arange(3), at::tensor({1., 0., 2.}));
  expect_refusal(ErrorKind::argument, "logarithmic axis but received 0", [&] { figure.render(); });
}

}  // namespace
}  // namespace fokker::plot
