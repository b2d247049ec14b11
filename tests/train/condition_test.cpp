// Models that are conditioned on columns of a table.
#include <cmath>
#include <limits>

#include "fokker/core/file/files.h"
#include "fokker/format/model.h"
#include "fokker/train/posterior_draws.h"
#include "fokker/train/sample_model.h"
#include "fokker/train/train_into.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;

constexpr double slope = 2, deviation = 0.5;

/// theta ~ N(0, 1), x = slope theta + deviation noise, as columns theta, x; in other units than one.
Dataset pairs(int64_t n, uint64_t seed = 1) {
  const Tensor theta = Rng(seed).normal({n}, {}, at::kDouble);
  const Tensor x = slope * theta + deviation * Rng(seed).stream("noise").normal({n}, {}, at::kDouble);
  return {
      .values = at::stack({10 * theta + 3, 5 * x - 100}, 1), .columns = {"theta", "x"}, .source = "pairs"};
}

Recipe small_recipe(int64_t steps) {
  Recipe recipe{.condition = {"x"}};
  recipe.mlp.width = 32;
  recipe.mlp.depth = 2;
  recipe.options.steps = steps;
  recipe.options.batch = 256;
  recipe.options.learning_rate = 5e-3;
  recipe.options.ema_decay = 0.99;
  return recipe;
}

// The posterior of theta given x is N(v slope x / deviation^2, v), v = 1 / (1 + slope^2 / deviation^2). With
// 4,000 draws a mean has an error of 0.016 deviations and a deviation one of 1.1 per cent; the rest is the
// network's. 8 is four deviations out, and beyond the training's 20,000 in few rows: the regression reaches
// there.
TEST(Condition, TheLearnedPosteriorOfALineIsTheExactOne) {
  const Model model = train(pairs(20'000), small_recipe(600), Rng(0));
  EXPECT_EQ(model.columns, (std::vector<std::string>{"theta"}));
  EXPECT_EQ(model.condition.columns, (std::vector<std::string>{"x"}));
  const double v = 1 / (1 + slope * slope / (deviation * deviation));
  for (const double x : {-2.5, 0.3, 3.0, 8.0}) {
    const Dataset drawn = sample(model, 4000, Rng(2), {.conditions = rows_of({{5 * x - 100}})});
    const Tensor theta = (drawn.values.select(1, 0) - 3) / 10;
    EXPECT_NEAR(average(theta), v * slope * x / (deviation * deviation), 0.15 * std::sqrt(v)) << x;
    EXPECT_NEAR(theta.std().item<double>() / std::sqrt(v), 1, x < 4 ? 0.1 : 0.2) << x;
    EXPECT_TRUE(drawn.conditions.eq(5 * x - 100).all().item<bool>());
  }
  // Without a condition the law is that of theta alone: N(0, 1).
  const Tensor theta = (sample(model, 4000, Rng(3)).values.select(1, 0) - 3) / 10;
  EXPECT_NEAR(average(theta), 0, 0.15);
  EXPECT_NEAR(theta.std().item<double>(), 1, 0.12);
}

TEST(Condition, RowsOfAMixedBatchAreThoseOfTheirOwn) {
  const Model model = train(pairs(500), small_recipe(20), Rng(0));
  Tensor conditions = rows_of({{-100}, {-97}, {std::numeric_limits<double>::quiet_NaN()}}).repeat({4, 1});
  const Tensor mixed = sample(model, 12, Rng(2), {.steps = 8, .conditions = conditions}).values;
  const Tensor first = sample(model, 12, Rng(2), {.steps = 8, .conditions = rows_of({{-100}})}).values;
  const Tensor second = sample(model, 12, Rng(2), {.steps = 8, .conditions = rows_of({{-97}})}).values;
  const Tensor none = sample(model, 12, Rng(2), {.steps = 8}).values;
  EXPECT_GT(worst(first, second), 0.01);
  for (int64_t i = 0; i < 12; ++i)
    EXPECT_NEAR(mixed[i].item<double>(),
                (i % 3 == 0   ? first
                 : i % 3 == 1 ? second
                              : none)[i]
                    .item<double>(),
                1e-4)
        << i;
  const Tensor guided =
      sample(model, 12, Rng(2), {.steps = 8, .conditions = conditions, .guidance = 3}).values;
  EXPECT_GT(worst(guided.slice(0, 0, 12, 3), mixed.slice(0, 0, 12, 3)), 1e-3);
  EXPECT_LT(worst(guided.slice(0, 2, 12, 3), mixed.slice(0, 2, 12, 3)), 1e-4);  // towards nothing
}

TEST(Condition, IsSavedWithTheModel) {
  const TestFolder folder;
  const Model model = train(pairs(500), small_recipe(20), Rng(0));
  save_model(folder / "run", model);
  const Model read = load_model(folder / "run");
  EXPECT_EQ(read.condition.columns, model.condition.columns);
  EXPECT_EQ(read.condition.places, (std::vector<int64_t>{1}));
  const SampleOptions options{.steps = 8, .conditions = rows_of({{-98}})};
  EXPECT_TRUE(sample(read, 5, Rng(1), options).values.equal(sample(model, 5, Rng(1), options).values));
  EXPECT_EQ(load_model_data(folder / "run").condition.columns, model.condition.columns);
  Json json = read_json(folder / "run/fokker.json");
  json["condition"]["columns"] = {"x", "y"};
  write_file_atomically(folder / "run/fokker.json", json.dump());
  std::filesystem::remove(folder / "run/manifest.json");
  expect_error([&] { load_model(folder / "run"); }, ErrorKind::input, "fokker.json: condition");
}

TEST(Condition, RefusesWhatDoesNotFit) {
  const auto refused = [](Dataset data, const Recipe& recipe, ErrorKind kind) {
    return refusal_of([&] { resolve(data, recipe, Rng(0)); }, kind);
  };
  Recipe recipe = small_recipe(5);
  recipe.condition = {"y"};
  EXPECT_THAT(refused(pairs(50), recipe, ErrorKind::input), HasSubstr("no column 'y' to be a condition"));
  Dataset constant = pairs(50);
  constant.values.select(1, 1).fill_(4);
  EXPECT_THAT(refused(constant, small_recipe(5), ErrorKind::input),
              HasSubstr("condition 'x' is the same in all rows"));
  Dataset labelled = pairs(50);
  labelled.labels = at::arange(50, at::kLong).remainder(2);
  EXPECT_THAT(refused(labelled, small_recipe(5), ErrorKind::argument),
              HasSubstr("conditioned on a class or on numbers"));
  const Model model = train(pairs(100), small_recipe(3), Rng(0));
  expect_error(
      [&] {
        sample(model, 4, Rng(0), {.conditions = rows_of({{1, 2}})});
      },
      ErrorKind::argument, "conditions: expected 1 or 4 rows of 1 numbers, x, but received shape (1, 2)");
  expect_error(
      [&] {
        sample(model, 4, Rng(0), {.conditions = rows_of({{1}, {2}})});
      },
      ErrorKind::argument, "expected 1 or 4 rows");
  Recipe plain = small_recipe(3);
  plain.condition = {};
  const Model other = train(pairs(100), plain, Rng(0));
  expect_error([&] { sample(other, 4, Rng(0), {.conditions = rows_of({{1}})}); }, ErrorKind::argument,
               "the model was trained without any");
}

TEST(Condition, AWarmStartKeepsItAndARunIsResumedWithIt) {
  const TestFolder folder;
  Recipe recipe = small_recipe(10);
  const auto model = std::make_shared<const Model>(train(pairs(100), recipe, Rng(0)));
  Recipe warm{.warm_start = model};
  warm.options.steps = 3;
  warm.options.batch = 16;
  EXPECT_EQ(resolve(pairs(200, 2), warm, Rng(0)).condition.columns, (std::vector<std::string>{"x"}));
  warm.condition = {"theta"};
  expect_error([&] { resolve(pairs(200, 2), warm, Rng(0)); }, ErrorKind::argument,
               "expected the conditions of the model, x, but received theta");
  train_into(RunFolder(folder / "run"), pairs(100), recipe, Rng(0));
  recipe.options.steps = 20;
  EXPECT_EQ(train_into(RunFolder(folder / "run"), pairs(100), recipe, Rng(0), {.resume = true}).first_step,
            10);
  recipe.condition = {"theta"};
  recipe.options.steps = 30;
  expect_error([&] { train_into(RunFolder(folder / "run"), pairs(100), recipe, Rng(0), {.resume = true}); },
               ErrorKind::input, "condition was [\"x\"] and is now [\"theta\"]");
}

/// x and y of N(0, 1) with correlation 0.8, rounded to three decimals: a table with a schema.
Dataset rounded_pairs(int64_t n) {
  const Tensor z = Rng(7).normal({n, 2}, {}, at::kDouble);
  const Tensor y = 0.8 * z.select(1, 0) + 0.6 * z.select(1, 1);
  Dataset data{.values = (at::stack({z.select(1, 0), y}, 1) * 1000).round() / 1000, .columns = {"x", "y"}};
  Schema schema;
  for (const int64_t j : {0, 1}) {
    Column column{.name = data.columns[static_cast<size_t>(j)], .decimals = 3};
    column.low = data.values.select(1, j).min().item<double>();
    column.high = data.values.select(1, j).max().item<double>();
    schema.columns.push_back(column);
  }
  data.schema = std::make_shared<const Schema>(schema);
  return data;
}

// y given x is N(0.8 x, 0.6^2); the network's own error is within 0.1.
TEST(Condition, OfATableWithASchemaIsAlwaysGiven) {
  Recipe recipe = small_recipe(500);
  const Model model = train(rounded_pairs(10'000), recipe, Rng(1));
  EXPECT_EQ(model.condition.columns, (std::vector<std::string>{"x"}));
  for (const double x : {-1.0, 1.5}) {
    const Dataset drawn = sample(model, 2000, Rng(3), {.conditions = rows_of({{x}})});
    EXPECT_TRUE(drawn.values.select(1, 0).eq(x).all().item<bool>());
    EXPECT_NEAR(average(drawn.values.select(1, 1)), 0.8 * x, 0.1 + four_errors(drawn.values.select(1, 1)))
        << x;
    EXPECT_NEAR(drawn.values.select(1, 1).std().item<double>(), 0.6, 0.1) << x;
  }
  expect_error([&] { sample(model, 3, Rng(3)); }, ErrorKind::argument,
               "conditions: expected single values of x in every row");
  const PosteriorDraws posterior = posterior_draws(model, rounded_pairs(30), 7, Rng(4));
  EXPECT_EQ(posterior.columns, (std::vector<std::string>{"y"}));
  EXPECT_EQ(posterior.draws.sizes(), (at::IntArrayRef{30, 7, 1}));
  EXPECT_TRUE(posterior.truth.equal(rounded_pairs(30).values.narrow(1, 1, 1)));
  // Draws stand beside the row that they are of: both rise with x.
  const Tensor mean = posterior.draws.mean(1).select(1, 0), truth = posterior.truth.select(1, 0);
  EXPECT_GT(((mean - mean.mean()) * (truth - truth.mean())).mean().item<double>(), 0.2);
}

TEST(PosteriorDraws, AreThoseOfEachRowsCondition) {
  const Model model = train(pairs(500), small_recipe(20), Rng(0));
  const Dataset rows = take_conditions(pairs(6, 5), {"x"});
  const PosteriorDraws found = posterior_draws(model, rows, 3, Rng(2), {.steps = 8});
  EXPECT_TRUE(found.truth.equal(rows.values));
  const Tensor all =
      sample(model, 18, Rng(2), {.steps = 8, .conditions = rows.conditions.repeat_interleave(3, 0)}).values;
  EXPECT_TRUE(found.draws.equal(all.view({6, 3, 1})));
  expect_error([&] { posterior_draws(model, pairs(6), 3, Rng(2)); }, ErrorKind::argument,
               "expected rows with the conditions x");
}

}  // namespace
}  // namespace fokker
