// Rows of a table given some of their cells, where the conditional law is known.
#include "fokker/train/sample_given.h"

#include <gtest/gtest.h>

#include "fokker/train/rejection.h"
#include "fokker/train/train.h"
#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

constexpr int64_t rows = 20'000, drawn = 4000;

/// A small network, trained for some seconds.
Model trained(const Tensor& cells, Schema schema) {
  Dataset data{.values = cells, .columns = schema.names()};
  data.schema = std::make_shared<const Schema>(std::move(schema));
  Recipe recipe{.held_out = 0};
  recipe.mlp.width = 64;
  recipe.mlp.depth = 2;
  recipe.options.steps = 800;
  recipe.options.batch = 512;
  recipe.options.ema_decay = 0.98;
  return train(data, recipe, Rng(1));
}

constexpr double rho = 0.8;

/// Two columns of N(0, 1) with correlation rho, rounded to three decimals.
const Model& gaussian() {
  static const Model model = [] {
    const Tensor z = Rng(7).normal({rows, 2}, {}, at::kDouble);
    const Tensor y = rho * z.select(1, 0) + std::sqrt(1 - rho * rho) * z.select(1, 1);
    const Tensor cells = (at::stack({z.select(1, 0), y}, 1) * 1000).round() / 1000;
    Schema schema;
    for (int64_t j = 0; j < 2; ++j) {
      Column column = number_column(j ? "y" : "x", ColumnKind::real, 3);
      column.low = cells.select(1, j).min().item<double>();
      column.high = cells.select(1, j).max().item<double>();
      schema.columns.push_back(column);
    }
    return trained(cells, schema);
  }();
  return model;
}

GivenRows given(const Model& model, const std::vector<std::string>& texts, int64_t n = drawn) {
  return {.copies = n, .conditions = parse_conditions(model.table->schema(), texts)};
}
Tensor draw(const Model& model, const std::vector<std::string>& texts, int64_t n = drawn) {
  return sample_given(model, given(model, texts, n), Rng(3)).rows.values;
}

// y given x is N(rho x, 1 - rho^2). The network's error is within 0.08, and four errors of the sample are
// 0.04.
TEST(SampleGiven, OfAGaussianIsItsRegression) {
  const double deviation = std::sqrt(1 - rho * rho);
  for (const double x : {-1.0, 0.5, 1.5}) {
    const Tensor values = draw(gaussian(), {fmt::format("x={}", x)});
    EXPECT_TRUE((values.select(1, 0) == x).all().item<bool>()) << "what is given comes back";
    const Tensor y = values.select(1, 1);
    EXPECT_NEAR(average(y), rho * x, 0.08 + four_errors(y)) << x;
    EXPECT_NEAR(y.std().item<double>(), deviation, 0.08 + 4 * deviation / std::sqrt(2.0 * drawn)) << x;
  }
  // The other way round, and a control: without the condition the mean is 0.
  const Tensor back = draw(gaussian(), {"y=1.5"}).select(1, 0);
  EXPECT_NEAR(average(back), rho * 1.5, 0.08 + four_errors(back));
  const Tensor free = sample(gaussian(), drawn, Rng(3)).values.select(1, 1);
  EXPECT_NEAR(average(free), 0, 0.08 + four_errors(free));
  EXPECT_NEAR(free.std().item<double>(), 1, 0.1);
}

// Given x > 1 of the Gaussian: E[x] = phi(1) / (1 - Phi(1)) = 1.525, E[y] = rho times that.
TEST(SampleGiven, ARangeIsATruncatedLaw) {
  const Tensor values = draw(gaussian(), {"x=1.."}, 2000);
  EXPECT_GE(values.select(1, 0).min().item<double>(), 1);
  EXPECT_NEAR(average(values.select(1, 0)), 1.5251, 0.05 + four_errors(values.select(1, 0)));
  EXPECT_NEAR(average(values.select(1, 1)), rho * 1.5251, 0.08 + four_errors(values.select(1, 1)));
}

/// p(a) p(b | a) p(c | a, b) of three columns of 3, 2 and 4 levels: (3, 2, 4).
Tensor joint() {
  const Tensor a = vector_of({0.5, 0.3, 0.2}).view({3, 1, 1});
  const Tensor b = rows_of({{0.9, 0.1}, {0.4, 0.6}, {0.15, 0.85}}).view({3, 2, 1});
  const Tensor c = rows_of({{.7, .2, .1, 0},
                            {.1, .2, .3, .4},
                            {.25, .25, .25, .25},
                            {0, .1, .2, .7},
                            {.05, .8, .1, .05},
                            {.4, .1, .1, .4}})
                       .view({3, 2, 4});
  return a * b * c;
}

const Model& network_of_levels() {
  static const Model model = [] {
    const Tensor cumulative = joint().flatten().cumsum(0);
    const Tensor place = at::searchsorted(cumulative, Rng(8).uniform({rows}, {}, at::kDouble)).clamp_max(23);
    const Tensor cells =
        at::stack({place.div(8, "floor"), place.div(4, "floor").remainder(2), place.remainder(4)}, 1);
    Schema schema;
    schema.columns = {level_column("a", 3), level_column("b", 2), level_column("c", 4, ColumnKind::ordinal)};
    return trained(cells.to(at::kDouble), schema);
  }();
  return model;
}

/// Total variation between the law of levels in rows (n, columns) and a table of probabilities.
double variation(const Tensor& values, const Tensor& law) {
  Tensor place = at::zeros({values.size(0)}, at::TensorOptions(at::kLong));
  for (int64_t j = 0; j < law.dim(); ++j) place = place * law.size(j) + values.select(1, j).to(at::kLong);
  const Tensor found =
      at::bincount(place, {}, law.numel()).to(at::kDouble) / static_cast<double>(values.size(0));
  return 0.5 * (found - law.flatten() / law.sum()).abs().sum().item<double>();
}
/// Within the network's error, 0.05, and that of the sample: mean at most sqrt(levels / (2 pi n)), four
/// times.
double tolerance(int64_t levels) {
  return 0.05 + 4 * std::sqrt(static_cast<double>(levels) / (2 * M_PI * drawn));
}

TEST(SampleGiven, OfANetworkOfCategoriesIsItsConditional) {
  const Tensor law = joint();
  for (const auto& [b, c] : {std::pair{0, 1}, {0, 0}, {1, 3}}) {
    const Tensor values =
        draw(network_of_levels(), {fmt::format("b=level {}", b), fmt::format("c=level {}", c)});
    EXPECT_LT(variation(values.narrow(1, 0, 1), law.select(2, c).select(1, b)), tolerance(3)) << b << c;
  }
  for (int64_t a = 0; a < 3; ++a) {
    const Tensor values = draw(network_of_levels(), {fmt::format("a=level {}", a)});
    EXPECT_LT(variation(values.narrow(1, 1, 2), law[a]), tolerance(8)) << a;
  }
  const Tensor high = draw(network_of_levels(), {"c=level 2..level 3"});
  EXPECT_GE(high.select(1, 2).min().item<double>(), 2);
  EXPECT_LT(variation(high.narrow(1, 0, 2), law.narrow(2, 2, 2).sum(2)), tolerance(6));
  // A control: the law without the condition is far from it.
  const Tensor free = sample(network_of_levels(), drawn, Rng(3)).values;
  EXPECT_GT(variation(free.narrow(1, 0, 2), law.narrow(2, 2, 2).sum(2)), 2 * tolerance(6));
}

TEST(SampleGiven, IsTheSameWhateverTheBatch) {
  const Model& model = network_of_levels();
  const auto values = [&](int64_t batch, const std::vector<std::string>& texts) {
    return sample_given(model, given(model, texts, 300), Rng(5), {.steps = 8, .batch = batch}).rows.values;
  };
  for (const std::vector<std::string>& texts :
       {std::vector<std::string>{"a=level 1"}, {"c=level 3", "a=level 0|level 2"}}) {
    EXPECT_TRUE(values(0, texts).equal(values(7, texts)));
    EXPECT_FALSE(values(0, texts).equal(
        sample_given(model, given(model, texts, 300), Rng(6), {.steps = 8}).rows.values));
  }
}

// Each group is given its own cells, and a range of all of them.
TEST(SampleGiven, RowsOfGroupsFollowEachOther) {
  const Model& model = network_of_levels();
  GivenRows asked = given(model, {"c=level 2..level 3"}, 5);
  asked.groups = 3;
  asked.known = {rows_of({{0, 0, 0}, {1, 0, 0}, {2, 1, 0}}),
                 at::tensor({1, 0, 0, 1, 0, 0, 1, 1, 0}).view({3, 3}).to(at::kBool)};
  const GivenSamples samples = sample_given(model, asked, Rng(2), {.steps = 8});
  const Tensor& values = samples.rows.values;
  EXPECT_TRUE(values.select(1, 0).equal(vector_of({0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2})));
  EXPECT_TRUE((values.narrow(0, 10, 5).select(1, 1) == 1).all().item<bool>());
  EXPECT_GE(values.select(1, 2).min().item<double>(), 2);
  EXPECT_GE(samples.drawn, 15);
}

TEST(SampleGiven, Refuses) {
  const Model& model = network_of_levels();
  // Seven deviations from the mean.
  expect_error(
      [&] {
        draw(gaussian(), {"y=-1", "x=3.4.."}, 50);
      },
      ErrorKind::failed, "0 of 10000 draws meet the conditions (0 %), fewer than 1 in 2,000");
  GivenRows twice = given(model, {"a=level 1"}, 2);
  twice.known = {at::zeros({1, 3}, at::kDouble), at::ones({1, 3}, at::kBool)};
  expect_error([&] { sample_given(model, twice, Rng(1)); }, ErrorKind::argument, "column 'a' is given twice");
  Model plain = model;
  plain.table = nullptr;
  expect_error([&] { sample_given(plain, given(model, {"a=level 1"}), Rng(1)); }, ErrorKind::argument,
               "expected a model of a table with a schema");
  expect_error([&] { sample(model, 3, Rng(1), {.clip = 1.0}); }, ErrorKind::argument, "clip");
}

/// a is missing in a third of the rows, more often where b is 1; c is b or missing.
const Model& with_gaps() {
  static const Model model = [] {
    const Tensor b = (Rng(8).uniform({rows}, {}, at::kDouble) < 0.5).to(at::kDouble);
    const Tensor a = at::where(Rng(9).uniform({rows}, {}, at::kDouble) < 0.8, b, 1 - b);
    const Tensor gap = Rng(10).uniform({rows}, {}, at::kDouble) < 0.2 + 0.3 * b;
    Schema schema;
    schema.columns = {level_column("a", 2), level_column("b", 2)};
    schema.columns[0].missing = {"?"};
    return trained(at::stack({a.masked_fill(gap, NAN), b}, 1), schema);
  }();
  return model;
}

// Of what is missing the law is that given that it is not: p(a = b) = 0.8 whatever the share of gaps.
TEST(Impute, FillsByTheLawOfWhatIsThere) {
  const Model& model = with_gaps();
  const int64_t n = 2000;
  Tensor cells = at::zeros({n, 2}, at::kDouble), known = at::zeros({n, 2}, at::kBool);
  known.select(1, 1).fill_(true);
  cells.select(1, 1).narrow(0, 0, n / 2).fill_(1);
  known.narrow(0, 0, 10).fill_(true);
  const Imputation filled = impute(model, {cells, known}, 2, Rng(1));
  EXPECT_TRUE(filled.filled.all().item<bool>());
  EXPECT_TRUE(filled.cells.isfinite().all().item<bool>());
  EXPECT_TRUE(filled.cells.select(2, 1).equal(cells.select(1, 1).expand({2, n})));
  EXPECT_TRUE(filled.cells.narrow(1, 0, 10).select(2, 0).eq(0).all().item<bool>());
  const Tensor same =
      (filled.cells.select(2, 0) == filled.cells.select(2, 1)).to(at::kDouble).narrow(1, 10, n - 10);
  for (const auto& [first, b] : {std::pair<int64_t, int>{0, 1}, {n / 2 - 10, 0}})
    EXPECT_NEAR(average(same.narrow(1, first, n / 2 - 10)), 0.8,
                0.05 + 4 * 0.4 / std::sqrt(static_cast<double>(n)))
        << b;
  EXPECT_FALSE(filled.cells[0].equal(filled.cells[1]));
  EXPECT_EQ(filled.drawn, 2 * (n - 10));
  EXPECT_TRUE(impute(model, {cells, known}, 2, Rng(1), {.batch = 100}).cells.equal(filled.cells));
}

TEST(Impute, LeavesRowsThatHaveNothingToFill) {
  const Tensor cells = rows_of({{0, 1}, {1, 1}}), known = at::ones({2, 2}, at::kBool);
  const Imputation filled = impute(with_gaps(), {cells, known}, 3, Rng(1));
  EXPECT_TRUE(filled.cells.equal(cells.expand({3, 2, 2})));
  EXPECT_EQ(filled.drawn, 0);
}

// Of a group none of whose draws is kept the others know nothing.
TEST(Rejection, GivesAGroupUpAndFillsTheOthers) {
  detail::Rejection wanted{.groups = 3, .copies = 20};
  wanted.keeps = [](const Tensor& cells, const Tensor& group) {
    return (group != 1) & (cells.select(1, 0) == 1);
  };
  wanted.trial = 200;
  wanted.one_in = 50;
  wanted.ends_when_given_up = false;
  std::vector<int64_t> rounds;
  wanted.on_round = [&](int64_t kept) { rounds.push_back(kept); };
  const auto draws = detail::draw_by_rejection(network_of_levels(), wanted, Rng(1), {.steps = 6});
  EXPECT_EQ(draws.given_up, 1);
  EXPECT_TRUE(draws.kept.equal(at::tensor({20, 0, 20}, at::TensorOptions(at::kLong))));
  EXPECT_EQ(draws.drawn[1].item<int64_t>(), 200);
  EXPECT_TRUE(draws.cells.narrow(0, 20, 20).isnan().all().item<bool>());
  EXPECT_TRUE((draws.cells.select(1, 0).narrow(0, 0, 20) == 1).all().item<bool>());
  EXPECT_FALSE(draws.cells.narrow(0, 0, 20).equal(draws.cells.narrow(0, 40, 20))) << "groups are independent";
  EXPECT_EQ(rounds.back(), 40);
}

}  // namespace
}  // namespace fokker
