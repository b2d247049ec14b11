#include <gtest/gtest.h>

#include "fokker/denoise/table.h"
#include "fokker/train/sample_model.h"
#include "fokker/train/train.h"
#include "folder.h"
#include "some_table.h"
#include "support.h"
#include "train/untrained_table.h"

namespace fokker {
namespace {

/// Largest distance between the distribution functions of two columns; a missing cell is below all others.
double distance(const Tensor& a, const Tensor& b) {
  const auto sorted = [](const Tensor& x) { return std::get<0>(x.nan_to_num(-1e9).sort()).contiguous(); };
  const Tensor x = sorted(a), y = sorted(b), all = at::cat({x, y});
  const auto share = [&](const Tensor& values) {
    return at::searchsorted(values, all, false, /*right=*/true).to(at::kDouble) /
           static_cast<double>(values.size(0));
  };
  return (share(x) - share(y)).abs().max().item<double>();
}

TEST(TableModel, UntrainedDrawsIndependentColumnsByTheirLaws) {
  const int64_t n = 10'000;
  const Tensor rows = sample(untrained_table_model(20'000), n, Rng(3)).values, data = some_cells(20'000, 1);
  // Of Kolmogorov and Smirnov's law for these numbers of rows, p = 0.001.
  const double most = 1.95 * std::sqrt(1.0 / n + 1.0 / 20'000);
  for (int64_t j = 0; j < rows.size(1); ++j)
    EXPECT_LT(distance(rows.select(1, j), data.select(1, j)), most) << "column " << j;
  const Tensor numbers = rows.index_select(1, at::tensor({0, 1, 2, 3, 4, 5, 9}, at::kLong));
  const Tensor ranks = numbers.argsort(0, false).argsort(0, false).to(at::kDouble);
  const Tensor correlations = at::corrcoef(ranks.t()) - at::eye(7, at::TensorOptions(at::kDouble));
  EXPECT_LT(correlations.abs().max().item<double>(), 4.5 / std::sqrt(n));
  // Nothing that a column cannot hold: the whole of the schema's own test.
  const Schema schema = some_schema();
  for (int64_t j = 0; j < rows.size(1); ++j)
    for (int64_t i = 0; i < 200; ++i)
      EXPECT_TRUE(parse_cell(schema.columns[static_cast<size_t>(j)],
                             cell_text(schema.columns[static_cast<size_t>(j)], rows[i][j].item<double>())));
}

TEST(TableModel, RowsDoNotDependOnTheBatchAndSurviveTheFolder) {
  const TestFolder folder;
  const Model model = untrained_table_model(20'000);
  const Tensor rows = sample(model, 50, Rng(3)).values.nan_to_num(-1);
  EXPECT_TRUE(sample(model, 50, Rng(3), {.batch = 7}).values.nan_to_num(-1).equal(rows));
  EXPECT_TRUE(sample(model, 20, Rng(3)).values.nan_to_num(-1).equal(rows.narrow(0, 0, 20)));
  save_model(folder / "run", model);
  const Model back = load_model(folder / "run");
  EXPECT_TRUE(sample(back, 50, Rng(3)).values.nan_to_num(-1).equal(rows));
  EXPECT_EQ(load_model_data(folder / "run").schema->to_json(), model.table->schema().to_json());
}

TEST(TableModel, ToModelAndBackIsTheCell) {
  const Model model = untrained_table_model(20'000);
  const Tensor cells = some_cells(300, 1);
  const Tensor back = model.to_user(model.to_model(cells));
  for (const int64_t j : {1, 4, 5, 6, 8, 9, 10})
    EXPECT_TRUE(back.select(1, j).nan_to_num(-1).equal(cells.select(1, j).nan_to_num(-1))) << j;
}

TEST(TableModel, RefusesATableOfConstants) {
  Dataset data{.values = at::zeros({30, 2}, at::kDouble), .columns = {"a", "b"}, .source = "t.csv"};
  data.schema = std::make_shared<const Schema>(Schema{
      .columns = {level_column("a", 1, ColumnKind::constant), level_column("b", 1, ColumnKind::constant)}});
  expect_error([&] { train(data, {}, Rng(1)); }, ErrorKind::input,
               "t.csv: every column is constant, and some hold texts: there is nothing to learn");
}

}  // namespace
}  // namespace fokker
