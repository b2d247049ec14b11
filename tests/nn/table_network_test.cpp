#include "fokker/nn/table/table_network.h"

#include <gtest/gtest.h>

#include "fokker/denoise/table.h"
#include "fokker/target/gaussian_mixture.h"
#include "some_table.h"
#include "support.h"

namespace fokker {
namespace {

Tensor quarter_log(const Tensor& ratio) {
  return 0.25 * ratio.log();
}

/// Layers that say the same whatever they are asked.
class FixedLayers final : public Forward {
 public:
  explicit FixedLayers(Tensor value) : value_(std::move(value)) {}
  Tensor forward(const Tensor&, const Tensor&, const Tensor&) const override { return value_; }

 private:
  Tensor value_;
};

/// log p_k + log N(y; e_k, r^2), normalised, of one discrete part.
Tensor exact_log_posterior(const TablePart& part, const Tensor& y, const Tensor& ratio) {
  const Tensor points = part_points(part).to(at::kDouble);
  const Tensor square = (y.unsqueeze(1) - points.unsqueeze(0)).square().sum(2);
  return at::log_softmax(vector_of(part.prior).log() - square / (2 * ratio.square()).unsqueeze(1), 1);
}

// Before it learns, the network is the exact denoiser of independent columns.
TEST(TableNetwork, StartsAtThePosteriorOfEachPartAlone) {
  const TableMap map = some_map(5000);
  const TableLayout& layout = map.layout();
  TableNetwork network(layout, {.width = 16, .depth = 1});
  network.to(at::kCPU, at::kDouble);
  const int64_t n = 200;
  const Rng rng(2);
  const Tensor ratio = (rng.normal({n}, {}, at::kDouble) * 1.5 - 1).exp();
  const Tensor y = map.encode(some_cells(n, 3), &rng).x.to(at::kDouble) +
                   ratio.unsqueeze(1) * rng.stream("y").normal({n, layout.dims()}, {}, at::kDouble);
  const Tensor x = y / (1 + ratio.square()).sqrt().unsqueeze(1);
  const TableHeads heads = network.heads(x, quarter_log(ratio), {});
  const Tensor mean = network.forward(x, quarter_log(ratio), {});
  const auto at = layout.offsets();
  for (size_t i = 0; i < layout.parts.size(); ++i) {
    const TablePart& part = layout.parts[i];
    const Tensor own = y.narrow(1, at[i].dim, part.dims), found = mean.narrow(1, at[i].dim, part.dims);
    if (part.kind == TablePart::Kind::number) {
      EXPECT_LT(worst(found.squeeze(1), own.squeeze(1) / (1 + ratio.square())), 1e-9) << i;
      continue;
    }
    const Tensor exact = exact_log_posterior(part, own, ratio);
    EXPECT_LT(worst(heads.log_probabilities.narrow(1, at[i].level, part.levels).exp(), exact.exp()), 1e-4)
        << i;
    EXPECT_LT(worst(found, at::mm(exact.exp(), part_points(part).to(at::kDouble))), 1e-4 * part.scale) << i;
  }
}

// Of a cell that is known not to be missing that level has no share, in both forms.
TEST(TableNetwork, KnowsWhichCellsAreNotMissing) {
  Schema schema = some_schema();
  schema.columns.push_back(level_column("many levels", 150));
  schema.columns.back().missing = {"?"};
  const auto cells = [](int64_t n, uint64_t seed) {
    const Tensor many = Rng(seed).stream("many").integers(n, 150).to(at::kDouble).unsqueeze(1);
    const Tensor gap = Rng(seed).stream("gap 4").uniform({n, 1}, {}, at::kDouble) < 0.96;
    return at::cat({some_cells(n, seed), many.masked_fill(gap, NAN)}, 1);
  };
  const TableMap map = TableMap::fit(cells(6000, 1), std::make_shared<const Schema>(schema), Rng(5));
  const TableLayout& layout = map.layout();
  const int64_t n = 100;
  const Rng rng(2);
  const Tensor ratio = (rng.normal({n}, {}, at::kDouble) * 1.5 - 1).exp();
  const Tensor y = map.encode(cells(n, 3), &rng).x.to(at::kDouble) +
                   ratio.unsqueeze(1) * rng.stream("y").normal({n, layout.dims()}, {}, at::kDouble);
  const Tensor x = y / (1 + ratio.square()).sqrt().unsqueeze(1);
  // Also of columns that have no missing cells, of which it says nothing.
  const TableCondition told{at::full({n, layout.columns}, -1.0, at::kDouble), at::zeros_like(x)};
  TableNetwork network(layout, {.width = 16, .depth = 1});
  const TableCondition told_floats{told.mask.to(at::kFloat), told.x0.to(at::kFloat)};
  const GradientMode off(false);
  const Tensor fused = network.denoised(x.to(at::kFloat), quarter_log(ratio).to(at::kFloat), {}, told_floats);
  network.to(at::kCPU, at::kDouble);
  const TableHeads heads = network.heads(x, quarter_log(ratio), {}, told);
  const Tensor mean = network.denoised(x, quarter_log(ratio), {}, told);
  EXPECT_LT(worst(fused.to(at::kDouble), mean), 2e-3);
  const auto at = layout.offsets();
  int64_t with_missing = 0;
  for (size_t i = static_cast<size_t>(layout.numbers()); i < layout.parts.size(); ++i) {
    const TablePart& part = layout.parts[i];
    Tensor exact = exact_log_posterior(part, y.narrow(1, at[i].dim, part.dims), ratio);
    if (part.missing) {
      ++with_missing;
      exact.select(1, part.levels - 1).fill_(-INFINITY);
      exact = at::log_softmax(exact, 1);
    }
    const Tensor found = heads.log_probabilities.narrow(1, at[i].level, part.levels).exp();
    EXPECT_LT(worst(found, exact.exp()), 1e-4) << i;
    if (part.missing) {
      EXPECT_EQ(found.select(1, part.levels - 1).max().item<double>(), 0) << i;
    }
    EXPECT_LT(
        worst(mean.narrow(1, at[i].dim, part.dims), at::mm(exact.exp(), part_points(part).to(at::kDouble))),
        1e-4 * part.scale)
        << i;
  }
  EXPECT_EQ(with_missing, 4);
}

// The law of a few rows is a mixture of points, whose denoiser is known. Layers that say log p(k | the other
// columns) - log p(k) must give exactly that: Bayes' rule holds the two halves together.
TEST(TableNetwork, WithTheOthersPosteriorIsTheExactDenoiser) {
  const int64_t rows = 12, n = 50;
  Schema schema{.columns = {level_column("a", 3), level_column("b", 4, ColumnKind::ordinal)}};
  const Tensor cells = at::stack({at::arange(rows, at::kLong).remainder(3),
                                  (at::arange(rows, at::kLong) * 5 + 1).remainder(7).clamp_max(3)},
                                 1)
                           .to(at::kDouble);
  const TableMap map = TableMap::fit(cells, std::make_shared<const Schema>(schema), Rng(1));
  const TableSpace space(map.layout());
  const TableRows data = map.encode(cells);
  const Tensor points = data.x.to(at::kDouble);
  const double r = 0.7;
  const Tensor y = points.index_select(0, Rng(2).integers(n, rows)) +
                   r * Rng(3).normal({n, points.size(1)}, {}, at::kDouble);
  // Weights of the rows by what one part's noised value says of them.
  const auto at = map.layout().offsets();
  std::vector<Tensor> says;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t dims = map.layout().parts[i].dims;
    says.push_back(
        (y.narrow(1, at[i].dim, dims).unsqueeze(1) - points.narrow(1, at[i].dim, dims).unsqueeze(0))
            .square()
            .sum(2) *
        (-0.5 / (r * r)));
  }
  std::vector<Tensor> logits;
  for (size_t i = 0; i < 2; ++i) {
    const TablePart& part = map.layout().parts[i];
    const Tensor one_hot =
        at::one_hot(data.levels.select(1, static_cast<int64_t>(i)), part.levels).to(at::kDouble);
    logits.push_back(at::mm(says[1 - i].exp(), one_hot).log() - vector_of(part.prior).log());
  }
  const FixedLayers layers(at::cat(logits, 1));
  const Tensor x = y / std::sqrt(1 + r * r), time = quarter_log(at::full({1}, r, at::kDouble));
  const Tensor found = space.denoised(space.heads(layers, x, time, {}), x, time);
  const Tensor weights = at::softmax(says[0] + says[1], 1);
  EXPECT_LT(worst(found, at::mm(weights, points)), 1e-5);
}

TEST(TableNetwork, GivenColumnsComeBackAndReachTheOthers) {
  const TableMap map = some_map(3000);
  TableNetwork network(map.layout(), {.width = 32, .depth = 1, .zero_output = false}, 3);
  const int64_t n = 64, category = 4;
  const TableRows rows = map.encode(some_cells(n, 2));
  const Tensor x = Rng(3).normal({n, map.layout().dims()}), time = at::full({n}, 0.1);
  Tensor mask = at::zeros({n, map.layout().columns});
  mask.select(1, category).fill_(1);
  const TableCondition given{mask, rows.x};
  const Tensor dims = network.space().mask_of_dims(mask) > 0;
  EXPECT_EQ(dims[0].sum().item<int64_t>(), 5);  // a corner for each level
  const Tensor mean = network.denoised(x, time, {}, given);
  EXPECT_TRUE(mean.masked_select(dims).equal(rows.x.masked_select(dims)));
  // What the noised value of a given column is does not matter; what is given does.
  const Tensor other = at::where(dims, x + 1, x);
  EXPECT_TRUE(network.denoised(other, time, {}, given).equal(mean));
  const TableCondition flipped{mask, rows.x.flip({0})};
  const Tensor changed = (network.denoised(x, time, {}, flipped) - mean).masked_select(dims.logical_not());
  EXPECT_GT(changed.abs().max().item<double>(), 1e-4);
}

TEST(TableNetwork, FrozenFormAgreesAndCloneIsItself) {
  const TableMap map = some_map(3000);
  TableNetwork network(map.layout(), {.width = 64, .depth = 2, .classes = 3, .zero_output = false}, 7);
  network.set_bf16_products(false);
  const int64_t n = 100;
  const Tensor x = Rng(1).normal({n, map.layout().dims()}), time = Rng(2).normal({n}) * 0.3;
  const Tensor label = Rng(3).integers(n, 3);
  const GradientMode off(false);
  const Tensor plain = network.forward(x, time, label);
  EXPECT_LT(worst(network.frozen()->forward(x, time, label), plain), 1e-4);
  EXPECT_TRUE(network.clone()->forward(x, time, label).equal(plain));
  const auto made = make_network(Json::parse(network.config().dump()), 1);
  made->load(network.parameters());
  EXPECT_LT(worst(made->forward(x, time, label), plain), 1e-5);
}

TEST(TableNetwork, RefusesAnEmptyLayoutAndOtherSpecifications) {
  expect_error([] { TableNetwork({}, {.width = 8, .depth = 1}); }, ErrorKind::argument, "layout");
  const TableMap map = some_map(1000);
  const auto network = std::make_shared<TableNetwork>(map.layout(), MlpOptions{.width = 8, .depth = 1});
  const GaussianProcess vp(VariancePreserving{});
  expect_error([&] { TableDenoiser(network, {.process = vp}); }, ErrorKind::argument, "velocity");
  const auto mlp = std::make_shared<Mlp>(MlpOptions{.dimension = 2});
  expect_error([&] { TableDenoiser(mlp, table_denoiser_spec(vp)); }, ErrorKind::argument, "FokkerMlp");
}

}  // namespace
}  // namespace fokker
