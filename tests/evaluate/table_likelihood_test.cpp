#include "fokker/evaluate/table_likelihood.h"

#include <gtest/gtest.h>

#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

/// Columns whose law an untrained network knows: it takes them as independent.
struct Independent {
  TableMap map;
  std::shared_ptr<TableNetwork> network;
  explicit Independent(const Schema& schema, const Tensor& cells)
      : map(TableMap::fit(cells, std::make_shared<const Schema>(schema), Rng(1))),
        network(std::make_shared<TableNetwork>(map.layout(), MlpOptions{.width = 8, .depth = 1})) {
    network->to(at::kCPU, at::kDouble);
  }
  Tensor bound(const Tensor& cells, const std::vector<int64_t>& given = {}) const {
    const TableDenoiser denoiser(network, table_denoiser_spec(GaussianProcess(VariancePreserving{})));
    LikelihoodOptions options{.tolerance = {.rtol = 1e-7, .atol = 1e-7}};
    return table_likelihood(denoiser, map, cells, options, Rng(3), given).bound;
  }
};

Tensor levels_by(const std::vector<double>& shares, int64_t n, uint64_t seed) {
  const Tensor cumulative = vector_of(shares).cumsum(0);
  return at::searchsorted(cumulative, Rng(seed).uniform({n}, {}, at::kDouble))
      .clamp_max(std::ssize(shares) - 1)
      .to(at::kDouble);
}

// The likelihood of categories is minus the cross-entropy with the model's shares: nothing is above it.
TEST(TableLikelihood, OfIndependentLevelsIsTheirProbability) {
  const int64_t n = 4000;
  const Schema schema{.columns = {level_column("a", 3), level_column("b", 2)}};
  const Tensor cells = at::stack({levels_by({0.6, 0.3, 0.1}, n, 1), levels_by({0.8, 0.2}, n, 2)}, 1);
  const Independent model(schema, cells);
  const Tensor few = cells.narrow(0, 0, 300);
  Tensor exact = at::zeros({300}, at::TensorOptions(at::kDouble));
  for (int64_t j = 0; j < 2; ++j)
    exact += vector_of(model.map.layout().parts[static_cast<size_t>(j)].prior)
                 .log()
                 .index_select(0, few.select(1, j).to(at::kLong));
  const Tensor gap = exact - model.bound(few);
  EXPECT_NEAR(average(gap), 0, four_errors(gap) + 0.01);
  EXPECT_GT(average(gap), -four_errors(gap) - 2e-3);  // a bound from below
}

// Of independent columns those that are given take no part, numbers with a gate neither.
TEST(TableLikelihood, GivenColumnsAreLeftOut) {
  const int64_t n = 4000;
  Schema schema{.columns = {level_column("a", 3), number_column("amount"), level_column("b", 2)}};
  schema.columns[1].spikes = {{0, 0.5}};
  const Tensor zero = Rng(4).uniform({n}, {}, at::kDouble) < 0.5;
  const Tensor amount = (Rng(5).normal({n}, {}, at::kDouble) + 3).exp().masked_fill(zero, 0);
  const Tensor cells = at::stack({levels_by({0.6, 0.3, 0.1}, n, 1), amount, levels_by({0.8, 0.2}, n, 2)}, 1);
  const Independent model(schema, cells);
  const Tensor few = cells.narrow(0, 0, 60);
  for (const TablePart& part : model.map.layout().parts) {
    if (part.column != 2) continue;
    const Tensor exact = vector_of(part.prior).log().index_select(0, few.select(1, 2).to(at::kLong));
    const Tensor gap = exact - model.bound(few, {0, 1});
    EXPECT_NEAR(average(gap), 0, four_errors(gap) + 0.01);
    EXPECT_GT(average(exact.narrow(0, 0, 8) - model.bound(few.narrow(0, 0, 8))),
              0.5);  // where all columns take part it is another
  }
}

// A number's density is the normal one of its score times the slope, and its spike's share a probability.
TEST(TableLikelihood, OfANumberWithASpikeIsItsDensity) {
  const int64_t n = 20'000;
  Schema schema{.columns = {number_column("amount"), level_column("a", 2)}};
  schema.columns[0].spikes = {{0, 0.5}};
  const Tensor zero = Rng(4).uniform({n}, {}, at::kDouble) < 0.5;
  const Tensor amount = (Rng(5).normal({n}, {}, at::kDouble) + 3).exp().masked_fill(zero, 0);
  const Independent model(schema, at::stack({amount, levels_by({0.5, 0.5}, n, 6)}, 1));
  const Tensor value = at::linspace(5, 60, 256, at::TensorOptions(at::kDouble));
  const auto column = [&](const Tensor& v) { return at::stack({v, at::zeros_like(v)}, 1); };
  const Tensor density = model.bound(column(value));
  // lognormal: the exact density, times the shares of "no spike" and of the level.
  const Tensor exact =
      -0.5 * (value.log() - 3).square() - value.log() - 0.5 * std::log(2 * M_PI) + 2 * std::log(0.5);
  EXPECT_NEAR(average(density - exact), 0, 0.05);  // the map's slopes are a histogram's of some thousand rows
  const Tensor spike = model.bound(column(at::zeros({256}, at::TensorOptions(at::kDouble))));
  EXPECT_NEAR(average(spike), 2 * std::log(0.5), four_errors(spike) + 0.03);
}

// Rounded values have probabilities that sum to one over all that the column can hold.
TEST(TableLikelihood, OfRoundedValuesSumsToOne) {
  const int64_t n = 20'000;
  const Schema schema{.columns = {number_column("whole", ColumnKind::integer, 0), level_column("a", 2)}};
  const Tensor whole = (Rng(5).normal({n}, {}, at::kDouble) * 200).round();
  const Independent model(schema, at::stack({whole, levels_by({0.5, 0.5}, n, 6)}, 1));
  const Tensor value = at::arange(-800, 801, 4, at::TensorOptions(at::kDouble));
  const Tensor nats = model.bound(at::stack({value, at::zeros_like(value)}, 1));
  EXPECT_NEAR(4 * nats.exp().sum().item<double>(), 0.5, 0.03);
}

}  // namespace
}  // namespace fokker
