// What ranks evaluate together has the bits of what one does.
#include <gmock/gmock.h>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/denoise/learned.h"
#include "fokker/evaluate/likelihood.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/score_error.h"
#include "fokker/evaluate/table/table_comparison.h"
#include "fokker/nn/mlp/mlp.h"
#include "support.h"
#include "tables.h"

namespace fokker {
namespace {

using ::testing::Each;

/// Calls work with no ranks, then among 2 and 3 of them; all answers must be equal.
void expect_one_answer(const std::function<std::vector<Tensor>(const Ranks&)>& work) {
  set_threads(1);
  const std::vector<Tensor> alone = work({});
  for (const int64_t size : {2, 3}) {
    const auto errors = run_ranks(size, [&](const Ranks& ranks) {
      const std::vector<Tensor> found = work(ranks);
      check(found.size() == alone.size(), "as many answers");
      for (size_t i = 0; i < alone.size(); ++i)
        check(found[i].equal(alone[i]), "answer {} is another on rank {}", i, ranks.rank());
    });
    EXPECT_THAT(errors, Each("")) << size;
  }
}

Tensor numbers(std::initializer_list<double> values) {
  return at::tensor(std::vector<double>(values), at::TensorOptions(at::kDouble));
}

LearnedDenoiser small_denoiser() {
  auto network = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3);
  network->set_requires_grad(false);
  return LearnedDenoiser(network, {.process = VariancePreserving{}});
}

// 7 blocks: of two ranks 4 and 3, of three 3, 2 and 2.
TEST(SharedLikelihood, HasTheBitsOfOne) {
  const LearnedDenoiser denoiser = small_denoiser();
  const Tensor x = Rng(1).normal({61, 2}, {}, at::kDouble);
  for (const FlowDivergence divergence : {FlowDivergence::exact, FlowDivergence::hutchinson})
    expect_one_answer([&](const Ranks& ranks) {
      const Likelihood found = log_likelihood(
          denoiser, x,
          {.divergence = divergence, .probes = 2, .block = 9, .type = at::kFloat, .ranks = ranks}, Rng(2));
      return std::vector{found.log_density, found.probe_error,
                         numbers({static_cast<double>(found.evaluations), static_cast<double>(found.rejected),
                                  static_cast<double>(found.exact)})};
    });
}

TEST(SharedLikelihood, FewerBlocksThanRanks) {
  const LearnedDenoiser denoiser = small_denoiser();
  const Tensor x = Rng(1).normal({5, 2}, {}, at::kDouble);
  expect_one_answer([&](const Ranks& ranks) {
    return std::vector{log_likelihood(denoiser, x, {.type = at::kFloat, .ranks = ranks}, Rng(2)).log_density};
  });
}

TEST(SharedLikelihood, NamesTheRowThatOneNames) {
  const LearnedDenoiser denoiser = small_denoiser();
  const Tensor x = at::zeros({40, 2}, at::TensorOptions(at::kDouble));
  x[23].fill_(INFINITY);
  x[37].fill_(INFINITY);
  const auto errors = run_ranks(3, [&](const Ranks& ranks) {
    log_likelihood(denoiser, x, {.block = 5, .type = at::kFloat, .ranks = ranks}, Rng(2));
  });
  EXPECT_THAT(errors, Each(testing::HasSubstr("row 23 (from 0)")));
}

TEST(SharedScoreError, HasTheBitsOfOne) {
  const AnalyticDenoiser exact(
      GaussianMixture(vector_of({1, 2}), Rng(1).normal({2, 2}, {}, at::kDouble),
                      at::eye(2, at::TensorOptions(at::kDouble)).expand({2, 2, 2}).contiguous()),
      GaussianProcess(VariancePreserving{}));
  const LearnedDenoiser denoiser = small_denoiser();
  expect_one_answer([&](const Ranks& ranks) {
    const ScoreError e =
        score_error(denoiser, exact, {0.1, 0.3, 0.5, 0.7, 0.9}, 200, Rng(3), at::kFloat, ranks);
    return std::vector{vector_of(e.fisher), vector_of(e.fisher_error), vector_of(e.noise),
                       vector_of(e.noise_error), numbers({e.mean_fisher, e.mean_noise})};
  });
}

Tensor numbers_of(const Comparison& c) {
  return numbers({c.energy_distance, c.mmd, c.sliced_wasserstein, c.classifier->accuracy, c.verdict.p_value,
                  c.verdict.energy, c.verdict.columns, c.verdict.pairs});
}

// Sets large enough for several blocks of rows and groups of rows, in few and in many dimensions.
TEST(SharedComparison, HasTheBitsOfOne) {
  for (const int64_t d : {1, 3, 20}) {
    const Tensor x = normal_rows(1, 1500, d), y = 1.05 * normal_rows(2, 1100, d);
    expect_one_answer([&](const Ranks& ranks) {
      return std::vector{numbers_of(compare(x, y, {.relabellings = 199, .modes = {}, .ranks = ranks}))};
    });
  }
}

TEST(SharedComparison, OfTablesHasTheBitsOfOne) {
  const Tensor samples = mixed_rows(1, 700), reference = mixed_rows(2, 600), held_out = mixed_rows(3, 400);
  expect_one_answer([&](const Ranks& ranks) {
    const TableComparison c = compare_tables(samples, reference, held_out, mixed_schema(), {.ranks = ranks});
    return std::vector{
        numbers({c.samples.detection->auc, c.samples.detection->standard_error, c.held_out->detection->auc,
                 c.privacy.nearer_to_training, c.utility->synthetic, c.utility->real}),
        vector_of(c.privacy.closest), vector_of(c.privacy.closest_held_out)};
  });
}

}  // namespace
}  // namespace fokker
