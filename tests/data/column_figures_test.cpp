#include "fokker/data/column_figures.h"

#include "data/damage.h"
#include "fokker/core/random/rng.h"

namespace fokker {
namespace {

ColumnFigures figures_in_blocks(const Tensor& x, std::initializer_list<int64_t> blocks) {
  ColumnFigures figures;
  int64_t first = 0;
  for (const int64_t count : blocks) {
    figures.add(x.narrow(0, first, count));
    first += count;
  }
  return figures;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(ColumnFigures, AreThoseOfTheWholeHoweverItIsCut) {
  // Columns far from zero, of drifting means: what is between blocks counts as much as what is within.
  const Tensor drift = at::arange(1000, at::kDouble).unsqueeze(1) * at::tensor({0.0, 0.01, 5.0}, at::kDouble);
  const Tensor x = Rng(1).normal({1000, 3}, {}, at::kDouble) + drift + 1e6;
  const Tensor mean = (x - 1e6).mean(0), deviation = (x - 1e6 - mean).square().mean(0).sqrt();
  for (const auto& blocks : {std::initializer_list<int64_t>{1000}, {1, 998, 1}, {300, 300, 400}}) {
    const ColumnFigures figures = figures_in_blocks(x, blocks);
    EXPECT_EQ(figures.count(), 1000);
    EXPECT_TRUE(figures.low().equal(x.amin(0)));
    EXPECT_TRUE(figures.high().equal(x.amax(0)));
    // Rounding of numbers of a million: 1e-10.
    EXPECT_LT(largest_difference(figures.mean() - 1e6, mean), 1e-9);
    EXPECT_LT(largest_difference(figures.deviation() / deviation, at::ones({3}, at::kDouble)), 1e-11);
    EXPECT_TRUE(figures.finite());
  }
}

TEST(ColumnFigures, NeitherOverflowNorLoseWhatIsConstant) {
  // 0.1 + 0.1 + ... is not n 0.1: blocks of a constant are joined without a rounding.
  const Tensor x = at::stack({at::full({30}, 0.1, at::kDouble), at::arange(30, at::kDouble) * 1e306}, 1);
  const ColumnFigures figures = figures_in_blocks(x, {10, 13, 7});
  EXPECT_EQ(figures.mean()[0].item<double>(), 0.1);
  EXPECT_EQ(figures.deviation()[0].item<double>(), 0);
  EXPECT_NEAR(figures.mean()[1].item<double>() / 1e306, 14.5, 1e-12);
  // Variance of 0, ..., n - 1: (n^2 - 1) / 12.
  EXPECT_NEAR(figures.deviation()[1].item<double>() / 1e306, std::sqrt(899.0 / 12), 1e-12);
}

TEST(ColumnFigures, SayWhereANumberIsNotFinite) {
  for (const double bad : {NAN, INFINITY, -INFINITY}) {
    Tensor x = at::ones({20, 2}, at::kDouble);
    x[13][1] = bad;
    EXPECT_FALSE(figures_in_blocks(x, {10, 10}).finite()) << bad;
    EXPECT_TRUE(figures_in_blocks(x, {10}).finite());
  }
}

}  // namespace
}  // namespace fokker
