#include "fokker/objective/table.h"

#include <gtest/gtest.h>

#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

std::shared_ptr<TableNetwork> network_of(const TableMap& map, bool zero = true) {
  auto network = std::make_shared<TableNetwork>(
      map.layout(), MlpOptions{.width = 8, .depth = 1, .embedding_size = 8, .zero_output = zero}, 3);
  network->to(at::kCPU, at::kDouble);
  return network;
}

Batch batch_of(const TableMap& map, int64_t n) {
  const Rng rng(11);
  const TableRows rows = map.encode(some_cells(n, 1), &rng);
  return {.x0 = rows.x.to(at::kDouble), .label = {}, .step = 4, .levels = rows.levels};
}

// Every part's loss is divided by what its own noised value leaves: of independent columns the best loss
// is 1.
TEST(TableObjective, OfIndependentColumnsIsOne) {
  const TableMap map = some_map(20'000);
  const LearnedDenoiser denoiser(network_of(map), table_denoiser_spec(GaussianProcess(VariancePreserving{})));
  const GradientMode off(false);
  for (const double share : {0.0, 0.5}) {
    const TableObjective objective(
        {.times = {.law = TimeSampling::Law::log_normal, .log_mean = 0.8, .log_deviation = 0.3},
         .given_share = share,
         .missing_told = 0});
    const Tensor loss = objective.loss(denoiser, batch_of(map, 20'000), Rng(2));
    EXPECT_NEAR(average(loss), 1, four_errors(loss) + 0.01) << share;  // entropies are estimates
  }
}

TEST(TableObjective, GradientsAreThoseOfDifferences) {
  const TableMap map = some_map(2000);
  const auto network = network_of(map, false);
  const LearnedDenoiser denoiser(network, table_denoiser_spec(GaussianProcess(VariancePreserving{})));
  const Batch batch = batch_of(map, 20);
  const TableObjective objective({.given_share = 0.5});
  const auto loss = [&] { return objective.loss(denoiser, batch, Rng(2)).mean(); };
  std::vector<Tensor> parameters;
  for (const auto& p : network->parameters()) parameters.push_back(p.tensor);
  const auto exact = gradients(loss(), parameters, false);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Tensor element = parameters[i].detach().view({-1})[0];
    EXPECT_NEAR(central_difference(element, loss), exact[i].reshape({-1})[0].item<double>(), 1e-6) << i;
  }
}

/// Loss, gradients and those of the gradients' square, in that type; a column of many levels is among the
/// others.
std::vector<Tensor> loss_and_gradients(at::ScalarType type) {
  Schema schema = some_schema();
  schema.columns.push_back(level_column("many levels", 150));
  const auto cells = [](int64_t n, uint64_t seed) {
    const Tensor many = Rng(seed).stream("many").integers(n, 150).to(at::kDouble).unsqueeze(1);
    return at::cat({some_cells(n, seed), many}, 1);
  };
  const TableMap map = TableMap::fit(cells(4000, 1), std::make_shared<const Schema>(schema), Rng(5));
  EXPECT_EQ(map.layout().parts.back().kind, TablePart::Kind::codes);
  auto network = std::make_shared<TableNetwork>(
      map.layout(), MlpOptions{.width = 16, .depth = 1, .embedding_size = 8, .zero_output = false}, 3);
  network->set_bf16_products(false);
  network->to(at::kCPU, type);
  const LearnedDenoiser denoiser(network, table_denoiser_spec(GaussianProcess(VariancePreserving{})));
  const Rng rng(11);
  const TableRows rows = map.encode(cells(100, 2), &rng);
  const Batch batch{.x0 = rows.x.to(type), .label = {}, .step = 4, .levels = rows.levels};
  const Tensor loss = TableObjective({.given_share = 0.5}).loss(denoiser, batch, Rng(2));
  std::vector<Tensor> parameters, result = {loss.detach()};
  for (const auto& p : network->parameters()) parameters.push_back(p.tensor);
  for (const Tensor& g : gradients(loss.mean(), parameters, false)) result.push_back(g.detach());
  const Tensor again = TableObjective({.given_share = 0.5}).loss(denoiser, batch, Rng(2));
  Tensor square = at::zeros({}, loss.options());
  for (const Tensor& g : gradients(again.mean(), parameters, true)) square = square + g.square().sum();
  for (const Tensor& g : gradients(square, parameters, false)) result.push_back(g.detach());
  return result;
}

// In float32 one node computes it, in float64 libtorch's functions.
TEST(TableObjective, FusedFormIsThePlainOne) {
  const auto fused = loss_and_gradients(at::kFloat), plain = loss_and_gradients(at::kDouble);
  ASSERT_EQ(fused.size(), plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    const double size = plain[i].norm().item<double>();
    EXPECT_LT((fused[i].to(at::kDouble) - plain[i]).norm().item<double>(), 1e-3 * size + 1e-7) << i;
  }
}

TEST(TableObjective, GivesSetsOfEverySizeEvenly) {
  const int64_t n = 40'000, columns = 5;
  const Tensor given = draw_given_columns(n, columns, 0.4, {.step = 3}, Rng(1));
  const Tensor size = given.sum(1);
  EXPECT_NEAR((size == 0).to(at::kDouble).mean().item<double>(), 0.6, 4 * std::sqrt(0.24 / n));
  for (int k = 1; k < columns; ++k)
    EXPECT_NEAR((size == k).to(at::kDouble).mean().item<double>(), 0.1, 4 * std::sqrt(0.09 / n)) << k;
  EXPECT_EQ((size == columns).sum().item<int64_t>(), 0);
  // Each column is in a half of the sets.
  const Tensor share = given.mean(0);
  for (int64_t j = 0; j < columns; ++j)
    EXPECT_NEAR(share[j].item<double>(), 0.2, 4 * std::sqrt(0.16 / n)) << j;
  EXPECT_FALSE(draw_given_columns(n, columns, 0.4, {.step = 4}, Rng(1)).equal(given));
}

// What is told does not depend on what the cells are; of missing ones it says so by giving them.
TEST(TableObjective, TellsWhichCellsAreMissing) {
  const TableMap map = some_map(4000);
  const TableLayout& layout = map.layout();
  const int64_t n = 40'000;
  const Tensor cells = some_cells(n, 3), levels = map.encode(cells).levels;
  const Tensor given = draw_given_columns(n, layout.columns, 0.5, {.step = 1}, Rng(1));
  const Tensor mask = tell_missing(layout, given, levels, 0.6, {.step = 1}, Rng(2));
  EXPECT_TRUE(mask.masked_select(given > 0).eq(1).all().item<bool>());
  const Tensor some_given = given.sum(1) > 0;
  for (int64_t j = 0; j < layout.columns; ++j) {
    const Tensor column = mask.select(1, j), open = given.select(1, j) == 0, gap = cells.select(1, j).isnan();
    const bool tells = j >= 6 && j <= 8;
    EXPECT_FALSE(((column < 0) & gap).any().item<bool>()) << j;
    if (!tells) {
      EXPECT_TRUE(column.equal(given.select(1, j))) << j;
      continue;
    }
    EXPECT_FALSE((open & gap.logical_not() & (column > 0)).any().item<bool>()) << j;
    for (const auto& [rows, told] : {std::pair{some_given, 0.6}, {some_given.logical_not(), 0.12}})
      for (const Tensor& those : {gap, gap.logical_not()}) {
        const Tensor told_of = column.masked_select(rows & open & those) != 0;
        const double share = 0.75 * told;  // all columns in half of the rows, else a half of them
        EXPECT_NEAR(average(told_of.to(at::kDouble)), share,
                    4 * std::sqrt(share * (1 - share) / static_cast<double>(told_of.numel())))
            << j << told;
      }
  }
  EXPECT_FALSE(tell_missing(layout, {}, levels, 0, {}, Rng(2)).defined());
}

TEST(TableObjective, RefusesOtherDenoisers) {
  const TableMap map = some_map(1000);
  const GaussianProcess vp(VariancePreserving{});
  const FunctionDenoiser other([](const Tensor& x, const Times&) { return x; }, vp, Prediction::data());
  expect_error([&] { TableObjective().loss(other, batch_of(map, 4), Rng(1)); }, ErrorKind::argument,
               "network of a table");
  const LearnedDenoiser denoiser(network_of(map), table_denoiser_spec(vp));
  Batch batch = batch_of(map, 4);
  batch.levels = Tensor();
  expect_error([&] { TableObjective().loss(denoiser, batch, Rng(1)); }, ErrorKind::argument, "levels");
}

TEST(GivenColumns, SomeAreAlwaysGivenAndOthersAsBefore) {
  const int64_t n = 20'000;
  const Tensor mask = draw_given_beside(n, 5, {3, 1}, 0.3, {.step = 2}, Rng(1));
  EXPECT_TRUE(mask.select(1, 1).eq(1).all().item<bool>());
  EXPECT_TRUE(mask.select(1, 3).eq(1).all().item<bool>());
  const Tensor others = mask.index_select(1, at::tensor({0, 2, 4}, at::kLong));
  EXPECT_TRUE(others.equal(draw_given_columns(n, 3, 0.3, {.step = 2}, Rng(1))));
  EXPECT_LE(others.sum(1).max().item<double>(), 2);  // never all
  EXPECT_FALSE(draw_given_beside(n, 5, {}, 0, {.step = 2}, Rng(1)).defined());
  // One other column alone: there is none to be given beside.
  EXPECT_TRUE(draw_given_beside(4, 2, {0}, 0.5, {.step = 2}, Rng(1))
                  .equal(rows_of({{1, 0}}).expand({4, 2}).to(at::kFloat)));
}

}  // namespace
}  // namespace fokker
