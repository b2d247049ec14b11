// Filling cells that are hardly ever there, where the law of those that are is known.
#include <gtest/gtest.h>

#include "fokker/nn/network.h"
#include "fokker/train/sample_given.h"
#include "fokker/train/train.h"
#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

constexpr int64_t sparse_rows = 20'000, filled_rows = 2000;

/// b is 0 or 1. a and z are there together or not at all: in 8 % of the rows where b = 0, in 16 % of the
/// others. Where they are a = b in four of five, and z is N(2 a - 1, 1/4).
Tensor sparse_cells() {
  const Tensor b = (Rng(8).uniform({sparse_rows}, {}, at::kDouble) < 0.5).to(at::kDouble);
  const Tensor a = at::where(Rng(9).uniform({sparse_rows}, {}, at::kDouble) < 0.8, b, 1 - b);
  const Tensor z = 2 * a - 1 + 0.5 * Rng(10).normal({sparse_rows}, {}, at::kDouble);
  const Tensor gap = Rng(11).uniform({sparse_rows}, {}, at::kDouble) > 0.08 + 0.08 * b;
  return at::stack({a.masked_fill(gap, NAN), b, z.masked_fill(gap, NAN)}, 1);
}

const Model& sparse_model() {
  static const Model model = [] {
    Schema schema;
    schema.columns = {level_column("a", 2), level_column("b", 2), number_column("z")};
    Dataset data{.values = sparse_cells(), .columns = schema.names()};
    for (const size_t j : {0, 2}) schema.columns[j].missing = {""};
    schema.columns[2].low = -4;
    schema.columns[2].high = 4;
    data.schema = std::make_shared<const Schema>(std::move(schema));
    Recipe recipe{.held_out = 0};
    recipe.mlp.width = 64;
    recipe.mlp.depth = 2;
    recipe.options.steps = 1000;
    recipe.options.batch = 512;
    recipe.options.ema_decay = 0.98;
    return train(data, recipe, Rng(1));
  }();
  return model;
}

/// Rows of which b alone is known: 0 in the first half, 1 in the other.
KnownCells only_b() {
  Tensor cells = at::zeros({filled_rows, 3}, at::kDouble), known = at::zeros({filled_rows, 3}, at::kBool);
  known.select(1, 1).fill_(true);
  cells.select(1, 1).narrow(0, filled_rows / 2, filled_rows / 2).fill_(1);
  return {cells, known};
}

// What is filled beside each other is as in the rows that have both. Of the mean of z given a: some 2,400
// rows have these cells, so that their own means are known within 0.015: four of those, the sample's four
// errors, and 0.05 of the network's.
TEST(ImputeSparse, FillsEveryCellInOneDraw) {
  const Model& model = sparse_model();
  const double gaps = average(sample(model, 4000, Rng(3)).values.select(1, 0).isnan().to(at::kDouble));
  EXPECT_NEAR(gaps, 0.88, 0.04) << "a control: unasked they are missing";
  const Imputation filled = impute(model, only_b(), 1, Rng(1));
  EXPECT_TRUE(filled.filled.all().item<bool>());
  EXPECT_EQ(filled.drawn, filled_rows);
  const Tensor cells = filled.cells[0], a = cells.select(1, 0), z = cells.select(1, 2);
  EXPECT_TRUE(cells.isfinite().all().item<bool>());
  for (const int level : {0, 1}) {
    const Tensor beside = z.masked_select(a == level);
    EXPECT_NEAR(average(beside), 2 * level - 1, 0.08 + 0.05 + four_errors(beside)) << level;
  }
}

// Draws depend on the rng and the row alone (numbers within float32's rounding), and those of a row differ.
TEST(ImputeSparse, IsTheSameWhateverTheBatch) {
  const auto draw = [](int64_t batch) {
    return impute(sparse_model(), only_b(), 2, Rng(4), {.steps = 6, .batch = batch}).cells;
  };
  const Tensor whole = draw(0), parts = draw(333);
  EXPECT_GT(average((whole.select(2, 0) == parts.select(2, 0)).to(at::kDouble)), 0.999);
  EXPECT_LT((whole.select(2, 2) - parts.select(2, 2)).abs().median().item<double>(), 1e-4);
  EXPECT_GT((whole[0].select(1, 2) - whole[1].select(1, 2)).abs().median().item<double>(), 0.1);
}

/// The same network without what says that it can be told, as those of earlier versions are.
Model as_of_before(const Model& model) {
  Json config = model.network->config();
  for (Json& part : config["layout"]["parts"]) part.erase("missing");
  std::unique_ptr<Network> network = make_network(config, 0);
  network->load(model.network->parameters());
  Model before = model;
  before.table = std::make_shared<const TableMap>(
      TableMap::from_json(model.table->to_json(), TableLayout::from_json(config["layout"])));
  before.network = std::move(network);
  return before;
}

// It draws until nothing is missing, and gives up rows where that is rare.
TEST(ImputeSparse, OfAnEarlierVersionIsByRejection) {
  KnownCells known = only_b();
  known.cells = known.cells.narrow(0, filled_rows / 2 - 4, 8);
  known.known = known.known.narrow(0, filled_rows / 2 - 4, 8);
  const Imputation filled = impute(as_of_before(sparse_model()), known, 1, Rng(1), {.steps = 10});
  EXPECT_GT(filled.drawn, 16);
  const Tensor full = filled.cells[0].isfinite().all(1);
  EXPECT_TRUE(full.equal(filled.filled));
}

}  // namespace
}  // namespace fokker
