#include "fokker/plot/chart/error_curves.h"

#include "fokker/plot/mark/lines.h"
#include "fokker/plot/mark/slope_triangles.h"
#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

/// The smallest box around the pixels of one colour.
Rect box_of(const Tensor& image, Colour colour) {
  const Tensor wanted = at::tensor({colour.red, colour.green, colour.blue}).mul(255).reshape({3, 1, 1});
  const Tensor found = ((image - wanted).abs() <= 1).all(0).nonzero().to(at::kDouble);
  const Tensor low = found.amin(0), high = found.amax(0) + 1;
  const auto number = [](const Tensor& x, int64_t i) { return x[i].item<double>(); };
  return {number(low, 1), number(low, 0), number(high, 1), number(high, 0)};
}

// The legs of the triangle, read off its filled pixels and turned into data: log y over log x is p. It lies
// beside its curve.
TEST(SlopeTriangles, HaveTheSlopeOfTheirOrderBesideTheCurve) {
  for (const double order : {0.5, 1.0, 3.0}) {
    Figure figure({.width = 600, .height = 500});
    Axes& axes = figure.axes();
    axes.grid = false;
    axes.x = {.limits = Range{10, 1000}, .scale = Scale::logarithmic};
    axes.y = {.limits = Range{1e-9, 1}, .scale = Scale::logarithmic};
    const Point start{20, 1e-2}, end{500, 1e-2 * std::pow(25, -order)};
    add_slope_triangles(axes, {{{start, end}, order}});
    const auto t = figure.layout().panels[0].transform;
    const Colour muted = Theme::light().muted, fill = mix(Theme::light().background, muted, 0);
    const Colour tint{0.85 * fill.red + 0.15 * muted.red, 0.85 * fill.green + 0.15 * muted.green,
                      0.85 * fill.blue + 0.15 * muted.blue};
    const Rect box = box_of(figure.render(), tint);
    const double unit = t.box.width() / t.box.height() * std::log(1e9) / std::log(100);
    const double slope = box.height() / box.width() * unit;
    // The outline hides about a pixel of each leg.
    EXPECT_NEAR(slope, order, 2.5 / box.width() * unit + 0.08 * order);
    const Point middle = t.to_data(box.centre());
    const double on_curve = start.y * std::pow(middle.x / start.x, -order);
    EXPECT_LT(std::abs(t.to_pixel({middle.x, on_curve}).y - t.to_pixel(middle).y), 90);
  }
}

TEST(SlopeTriangles, AreRefusedWithoutLogarithmicAxesOrOrders) {
  Figure figure;
  add_slope_triangles(figure.axes(), {{{{1, 1}, {2, 0.5}}, 1}});
  expect_refusal(ErrorKind::argument, "expected two logarithmic axes", [&] { figure.render(); });
  expect_refusal(ErrorKind::argument, "orders > 0 but received 0", [&] {
    add_slope_triangles(figure.axes(), {{{}, 0}});
  });
  expect_refusal(ErrorKind::input, "positive points", [&] {
    add_slope_triangles(figure.axes(), {{{{1, -1}}, 1}});
  });
}

// The part of a line that is ink is that of its pattern.
TEST(Lines, AreBrokenByTheirPattern) {
  for (const auto& [dash, share] : std::vector<std::pair<Dash, double>>{
           {Dash::solid, 1.0}, {Dash::dashed, 4.0 / 7}, {Dash::dotted, 0.4}, {Dash::dash_dot, 6.2 / 10.2}}) {
    Figure figure({.width = 600, .height = 200});
    figure.axes().grid = false;
    add_line(figure.axes(), at::tensor({0.0, 1.0}), at::tensor({1.0, 1.0}),
             {.colour = Colour::hex(0x000000), .width = 5, .dash = dash});
    const auto t = figure.layout().panels[0].transform;
    const Tensor image = figure.render();
    const Point from = t.to_pixel({0, 1}), to = t.to_pixel({1, 1});
    double ink = 0;
    for (double x = from.x + 1; x < to.x - 1; ++x) ink += 1 - brightness(image, {x, from.y}) / 255;
    EXPECT_NEAR(ink / (to.x - from.x - 2), share, 0.03);
  }
}

ErrorCurve power(const std::string& name, double order) {
  const Tensor steps = at::tensor({10.0, 20.0, 40.0}, at::kDouble);
  return {name, steps, steps.pow(-order), order, order};
}

TEST(ErrorCurves, SayTheOrdersAndTellManyMethodsApart) {
  std::vector<ErrorCurve> curves;
  for (int i = 0; i < 12; ++i) curves.push_back(power(fmt::format("method {}", i), 1 + i % 3));
  const Figure figure = error_curves(curves);
  const auto entries = figure.axes().legend_entries();
  ASSERT_EQ(entries.size(), 12u);
  EXPECT_EQ(entries[1].label, "method 1: order 2, measured 2.00");
  for (size_t i = 0; i < entries.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(entries[i].colour.given == entries[j].colour.given && entries[i].dash == entries[j].dash)
          << i << " " << j;
  // Room below the lowest error for the guides.
  const auto t = figure.layout().panels[0].transform;
  EXPECT_LT(t.to_pixel({40, std::pow(40.0, -3)}).y, t.box.bottom - 0.1 * t.box.height());
}

TEST(ErrorCurves, ShowTheLevelOfSamplingNoise) {
  const Figure figure = error_curves({power("one", 1)}, {.floor = 1e-4, .floor_label = "exact samples"});
  EXPECT_EQ(figure.axes().legend_entries().back().label, "exact samples");
  EXPECT_LT(figure.axes().y_limits().low, 1e-4);
}

TEST(ErrorCurves, RefuseWhatALogarithmicAxisCannotShow) {
  ErrorCurve curve = power("one", 1);
  curve.errors[1] = 0;
  expect_refusal(ErrorKind::input, "expected errors > 0 but received 0", [&] { error_curves({curve}); });
  expect_refusal(ErrorKind::argument, "at least one curve", [] { error_curves({}); });
}

}  // namespace
}  // namespace fokker::plot
