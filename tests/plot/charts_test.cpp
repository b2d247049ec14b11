#include "fokker/plot/chart/charts.h"

#include "fokker/core/random/rng.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

TEST(Charts, ScatterKeepsProportionsUnlessRangesDifferMuch) {
  const Tensor points = Rng(1).normal({100, 2});
  const auto equal = scatter(points).layout().panels[0].transform;
  EXPECT_NEAR(equal.box.width() / equal.x.span(), equal.box.height() / equal.y.span(), 1);
  const Figure unequal = scatter(points * at::tensor({1., 1000.}));
  EXPECT_FALSE(unequal.axes().equal_aspect);
  EXPECT_GT(unequal.layout().panels[0].transform.box.height(), 300);
}

TEST(Charts, ScatterShowsEveryPoint) {
  const Tensor points = at::tensor({-3., 2., 5., 2.5, 0., -1.}).reshape({3, 2});
  const auto t = scatter(points).layout().panels[0].transform;
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(t.box.contains(t.to_pixel({points[i][0].item<double>(), points[i][1].item<double>()}), -2));
  const auto given = scatter(points, {.x_limits = Range{0, 1}}).layout().panels[0].transform;
  EXPECT_EQ(given.x.low, 0);
  EXPECT_EQ(given.x.high, 1);
}

TEST(Charts, ComparisonSharesItsLimits) {
  const Figure figure =
      scatter_comparison(at::zeros({3, 2}), 10 * at::ones({5, 2}), {"data", "samples"}, {.title = "both"});
  const auto panels = figure.layout().panels;
  ASSERT_EQ(panels.size(), 2u);
  EXPECT_EQ(panels[0].transform.x.low, panels[1].transform.x.low);
  EXPECT_EQ(panels[0].transform.y.high, panels[1].transform.y.high);
  EXPECT_LT(panels[0].transform.x.low, 0);
  EXPECT_GT(panels[0].transform.x.high, 10);
  EXPECT_EQ(panels[0].transform.box.width(), panels[1].transform.box.width());
  EXPECT_EQ(figure.axes(0, 1).title, "samples");
}

TEST(Charts, MovingAverageIsUnbiasedFromTheStart) {
  EXPECT_TRUE(at::allclose(moving_average(at::full({50}, 3.0), 10), at::full({50}, 3.0, at::kDouble)));
  const Tensor average = moving_average(at::tensor({1., 0., 0.}), 2);
  EXPECT_NEAR(average[0].item<double>(), 1, 1e-15);
  EXPECT_NEAR(average[1].item<double>(), 1.0 / 3, 1e-15);
  EXPECT_NEAR(average[2].item<double>(), 1.0 / 7, 1e-15);
  const Tensor noise = Rng(4).normal({4000});
  // Variance of white noise falls by 1 / (2 window - 1).
  EXPECT_NEAR(moving_average(noise, 20).narrow(0, 200, 3800).var().item<double>(), 1.0 / 39, 0.008);
}

TEST(Charts, LossCurvesShowRawAndSmoothValues) {
  const Tensor steps = at::arange(1000), loss = at::exp(-0.01 * steps.to(at::kDouble)) + 0.01;
  const Figure smooth = loss_curves({{"a", steps, loss}, {"b", steps, loss * 2}}, {.log_y = true});
  EXPECT_EQ(smooth.axes().marks().size(), 4u);
  ASSERT_EQ(smooth.axes().legend_entries().size(), 2u);  // one entry a series
  EXPECT_EQ(smooth.axes().legend_entries()[1].label, "b");
  EXPECT_EQ(smooth.layout().panels[0].transform.y_scale, Scale::logarithmic);
  EXPECT_EQ(loss_curves({{"a", steps, loss}}, {.smoothing = 0}).axes().marks().size(), 1u);
  expect_refusal(ErrorKind::input, "received nan in row 0", [&] {
    loss_curves({{"a", steps, loss * NAN}}, {.smoothing = 0});
  });
}

TEST(Charts, ScatterMatrixAlignsColumnsAndRows) {
  Tensor values = Rng(6).normal({300, 3});
  values.select(1, 2).mul_(1e4);
  ScatterMatrixOptions options;
  options.second = values * 1.5;
  const Figure figure = scatter_matrix(values, {"a", "b_c", "\\sigma"}, options);
  const auto panels = figure.layout().panels;
  ASSERT_EQ(panels.size(), 9u);
  for (size_t column = 0; column < 3; ++column)
    for (size_t row = 1; row < 3; ++row) {
      EXPECT_EQ(panels[column].transform.x.low, panels[3 * row + column].transform.x.low);
      EXPECT_EQ(panels[column].transform.box.left, panels[3 * row + column].transform.box.left);
    }
  EXPECT_EQ(panels[3].transform.y.high, panels[5].transform.y.high);
  EXPECT_EQ(panels[1].transform.y.high, panels[2].transform.y.high);
  // The limits hold both tables.
  EXPECT_GE(panels[2].transform.x.high, 1.5 * values.select(1, 2).max().item<double>());
  EXPECT_EQ(figure.axes(2, 1).x.label, "b_c");
  EXPECT_EQ(figure.axes(0, 1).x.label, "");
  EXPECT_EQ(figure.options().legend.size(), 2u);
  EXPECT_NO_THROW(figure.render());
}

TEST(Charts, BadTablesAreRefused) {
  expect_refusal(ErrorKind::argument, "3 column names but received 2", [] {
    scatter_matrix(at::zeros({4, 3}), {"a", "b"});
  });
  expect_refusal(ErrorKind::input, "between 2 and 8 columns", [] { scatter_matrix(at::zeros({4, 9}), {}); });
  ScatterMatrixOptions options;
  options.second = at::zeros({4, 2});
  expect_refusal(ErrorKind::input, "(any, 3) but received (4, 2)", [&] {
    scatter_matrix(at::zeros({4, 3}), {}, options);
  });
  expect_refusal(ErrorKind::input, "histogram: expected shape (any) or (any, 1) but received (4, 3)", [] {
    plot::histogram(at::zeros({4, 3}));
  });
  EXPECT_NO_THROW(plot::histogram(at::zeros({4, 1})).render());
}

}  // namespace
}  // namespace fokker::plot
