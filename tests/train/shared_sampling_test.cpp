// Rows that ranks draw together are those of one.
#include <gmock/gmock.h>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/denoise/table.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/sample/samplers.h"
#include "fokker/train/sample_given.h"
#include "some_table.h"
#include "support.h"
#include "train/untrained_table.h"

namespace fokker {
namespace {

using ::testing::Each;

void expect_the_rows_of_one(const std::function<Tensor(const Ranks&)>& draw) {
  set_threads(1);
  const Tensor alone = draw({}).nan_to_num(-1e9);
  for (const int64_t size : {2, 3})
    EXPECT_THAT(run_ranks(size,
                          [&](const Ranks& ranks) {
                            const Tensor found = draw(ranks).nan_to_num(-1e9);
                            check(found.equal(alone), "rank {} has other rows", ranks.rank());
                          }),
                Each(""))
        << size;
}

Model shared_plain_model() {
  return {.network = std::make_shared<Mlp>(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3),
          .spec = {.process = VariancePreserving{}},
          .normalisation = Normalisation::identity({2}),
          .columns = {"a", "b"},
          .label_names = {}};
}

TEST(SharedSampling, OfAnyNumberOfRows) {
  const Model model = shared_plain_model();
  for (const int64_t n : {1, 2, 50})
    expect_the_rows_of_one(
        [&](const Ranks& ranks) { return sample(model, n, Rng(3), {.ranks = ranks}).values; });
}

// Methods that share a step among the rows of a block: ranks take whole blocks.
TEST(SharedSampling, OfAnAdaptiveMethod) {
  const Model model = shared_plain_model();
  expect_the_rows_of_one([&](const Ranks& ranks) {
    SampleOptions options{.batch = 7, .ranks = ranks};
    options.sampler = make_sampler("dopri5", model.spec.process).sampler;
    const ModelSamples found = sample_counted(model, 40, Rng(3), options);
    const double counts = static_cast<double>(1000 * found.evaluations + found.rejected);
    return at::cat({found.rows.values.flatten(), vector_of({counts})});
  });
}

TEST(SharedSampling, OfATableGivenCellsAndRanges) {
  const Model model = untrained_table_model(2000);
  for (const std::vector<std::string>& texts :
       {std::vector<std::string>{"category=level 1"}, {"category=level 1", "ordinal=level 0..level 2"}})
    expect_the_rows_of_one([&](const Ranks& ranks) {
      const GivenRows given{.copies = 70, .conditions = parse_conditions(model.table->schema(), texts)};
      const GivenSamples found = sample_given(model, given, Rng(3), {.ranks = ranks});
      return at::cat({found.rows.values.flatten(), vector_of({static_cast<double>(found.drawn)})});
    });
}

TEST(SharedSampling, APartIsOfOneProcess) {
  const Model model = shared_plain_model();
  EXPECT_THAT(run_ranks(2,
                        [&](const Ranks& ranks) {
                          sample(model, 5, Rng(3), {.part = Share{0, 2}, .ranks = ranks});
                        }),
              Each("2 part: expected one process, or all rows of several"));
}

}  // namespace
}  // namespace fokker
