#include "fokker/plot/mark/bars.h"

#include "fokker/core/random/rng.h"
#include "fokker/plot/figure/figure.h"
#include "pixels.h"
#include "plot/refusal.h"

namespace fokker::plot {
namespace {

double integral(const Histogram& histogram) {
  return (histogram.density * histogram.edges.diff()).sum().item<double>();
}

TEST(Histogram, DensityIntegratesToOne) {
  const Tensor values = Rng(2).normal({10000});
  for (const int64_t bins : {0, 1, 7, 500}) {
    const Histogram histogram = make_histogram(values, bins);
    EXPECT_NEAR(integral(histogram), 1, 1e-12) << bins;
    EXPECT_EQ(histogram.counts.sum().item<double>(), 10000);
  }
  const Histogram part = make_histogram(values, 10, Range{0, 1});
  EXPECT_NEAR(integral(part), 1, 1e-12);
  EXPECT_EQ(part.counts.sum().item<double>(), ((values >= 0) & (values <= 1)).sum().item<double>());
}

TEST(Histogram, ApproximatesTheDensity) {
  const Histogram histogram = make_histogram(Rng(2).normal({200000}), 40, Range{-4, 4});
  const Tensor middle = 0.5 * (histogram.edges.narrow(0, 0, 40) + histogram.edges.narrow(0, 1, 40));
  const Tensor normal = at::exp(-0.5 * middle * middle) / std::sqrt(2 * M_PI);
  // Five standard errors of a bin's count, and the curvature inside a bin of 0.2.
  EXPECT_LT((histogram.density - normal).abs().max().item<double>(),
            5 * std::sqrt(0.4 / (200000 * 0.2)) + 0.0007);
}

TEST(Histogram, EdgesBelongToTheBinOnTheirRight) {
  const Histogram histogram = make_histogram(at::tensor({0., 0.1, 0.2, 0.3, 0.7, 1.}), 10, Range{0, 1});
  EXPECT_TRUE(at::equal(histogram.counts, at::tensor({1., 1., 1., 1., 0., 0., 0., 1., 0., 1.}, at::kDouble)))
      << histogram.counts;
}

TEST(Histogram, EdgesBelongToTheirBinsInSpiteOfRounding) {
  for (const int64_t bins : {3, 49, 57, 130}) {
    const Range range{0.1, 1.3};
    const Tensor edges = make_histogram(at::full({1}, 1.0, at::kDouble), bins, range).edges;
    Tensor expected = at::ones({bins}, at::kDouble);
    expected[bins - 1] = 2;  // the last bin is closed
    EXPECT_TRUE(at::equal(make_histogram(edges, bins, range).counts, expected)) << bins;
  }
}

TEST(Histogram, ConstantDataHasOneBar) {
  const Histogram histogram = make_histogram(at::full({100}, 3.0));
  EXPECT_EQ(histogram.counts.max().item<double>(), 100);
  EXPECT_NEAR(integral(histogram), 1, 1e-12);
  EXPECT_LT(histogram.edges[0].item<double>(), 3);
}

TEST(Histogram, BadValuesAreRefused) {
  expect_refusal(ErrorKind::input, "at least one value", [] { make_histogram(at::empty({0})); });
  expect_refusal(ErrorKind::input, "received inf in row 1", [] {
    make_histogram(at::tensor({0.0, INFINITY}));
  });
  expect_refusal(ErrorKind::input, "values between 5 and 6 but received none", [] {
    make_histogram(at::zeros({3}), 4, Range{5, 6});
  });
  expect_refusal(ErrorKind::argument, "bins but received -1", [] { make_histogram(at::zeros({3}), -1); });
}

TEST(Bars, StandOnZeroAndReachTheirHeight) {
  Figure figure({.width = 400, .height = 300});
  figure.axes().grid = false;
  const Colour colour = Colour::hex(0x2040a0);
  add_bars(figure.axes(), at::tensor({0., 1., 2.}), at::tensor({1., 3., -1.}),
           {.colour = colour, .width = 0.5});
  const auto t = figure.layout().panels[0].transform;
  const Tensor image = figure.render();
  const Colour shown{1 - 0.85 * (1 - colour.red), 1 - 0.85 * (1 - colour.green),
                     1 - 0.85 * (1 - colour.blue)};
  const Colour background = figure.options().theme.background;
  expect_pixel(image, t.to_pixel({1, 2.9}), shown, 2);
  expect_pixel(image, t.to_pixel({1.2, 0.1}), shown, 2);
  expect_pixel(image, t.to_pixel({2, -0.9}), shown, 2);
  expect_pixel(image, t.to_pixel({0, 1.1}), background);
  expect_pixel(image, t.to_pixel({1.5, 0.5}), background);
  expect_pixel(image, t.to_pixel({1, -0.1}), background);
}

TEST(Bars, OfPositiveHeightHaveNoGapBelow) {
  Axes axes;
  add_bars(axes, at::tensor({0., 1.}), at::tensor({1., 2.}));
  EXPECT_EQ(axes.y_limits().low, 0);
  EXPECT_GT(axes.y_limits().high, 2);
}

}  // namespace
}  // namespace fokker::plot
