// Rows that stay on disk are trained on as if they were in memory: the same weights, to the last bit.
#include <gmock/gmock.h>

#include <atomic>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/load.h"
#include "fokker/image/image.h"
#include "fokker/train/problem.h"
#include "fokker/train/row_survey.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

Tensor flat_weights(const Network& network) {
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : network.parameters()) flat.push_back(tensor.detach().flatten());
  return at::cat(flat);
}

class Stream : public FolderTest {
 protected:
  void write_table() const { save_npy(path("a.npy"), Rng(1).normal({90, 3}, {}) * 2 + 1); }
  void write_csv() const {
    const Tensor values = Rng(2).normal({90, 3}, {}, at::kDouble);
    std::string text = "a,b,kind\n";
    for (int64_t i = 0; i < 90; ++i)
      text += fmt::format("{},{},{}\n", values[i][0].item<double>(), values[i][1].item<double>(),
                          i % 5 ? "cat" : "dog");
    write("a.csv", text);
  }
  void write_images(int64_t count = 24) const {
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = fmt::format("faces/{}/{:02}.png", i % 2 ? "cat" : "dog", i);
      write(name, encode_png((Rng(static_cast<uint64_t>(i)).uniform({1, 8, 8}, {}) * 255).to(at::kByte)));
    }
  }
  Dataset load(const std::string& name, Streaming stream, LoadOptions options = {}) const {
    options.stream = stream;
    return load_data(path(name), options);
  }
  static Recipe recipe(int64_t workers, bool mirrored = false) {
    Recipe small;
    small.mlp.width = 8;
    small.mlp.depth = 1;
    small.unet_channels = 8;
    small.held_out = 0.2;
    small.mirrored = mirrored;
    small.options.steps = 14;  // batches straddle epochs
    small.options.batch = 16;
    small.options.workers = workers;
    return small;
  }
  Tensor trained(const Dataset& data, int64_t workers = 0, bool mirrored = false) const {
    return flat_weights(*train(data, recipe(workers, mirrored), Rng(3)).network);
  }
  void expect_same_weights(const std::string& name, const LoadOptions& options = {},
                           bool mirrored = false) const {
    const Tensor expected = trained(load(name, Streaming::no, options), 0, mirrored);
    const Dataset stored = load(name, Streaming::yes, options);
    ASSERT_TRUE(stored.stored);
    for (const int64_t workers : {1, 2, 4})
      EXPECT_TRUE(trained(stored, workers, mirrored).equal(expected)) << name << ", workers: " << workers;
  }
};

TEST_F(Stream, ATableOfAnNpyFileTrainsAsInMemory) {
  write_table();
  expect_same_weights("a.npy");
}

TEST_F(Stream, ACsvFileTrainsAsInMemory) {
  write_csv();
  expect_same_weights("a.csv", {.label_column = "kind"});
  expect_same_weights("a.csv", {.typed = true});
}

TEST_F(Stream, ImagesOfAFolderTrainAsInMemory) {
  write_images();
  expect_same_weights("faces");
  expect_same_weights("faces", {}, /*mirrored=*/true);
}

TEST_F(Stream, ImagesOfAnNpyFileTrainAsInMemory) {
  save_npy(path("a.npy"), (Rng(4).uniform({20, 1, 8, 8}, {}) * 255).to(at::kByte));
  expect_same_weights("a.npy");
  expect_same_weights("a.npy", {.image_size = {4, 4}});
}

TEST_F(Stream, ConditionsAndPlainNumbersOfATableTrainAsInMemory) {
  write_csv();
  const auto weights_given = [&](Streaming stream) {
    Recipe given = recipe(2);
    given.condition = {"b"};
    const LoadOptions options{.columns = {"a", "b"}};
    return flat_weights(*train(load("a.csv", stream, options), given, Rng(3)).network);
  };
  EXPECT_TRUE(weights_given(Streaming::yes).equal(weights_given(Streaming::no)));
  std::string counts = "a,count\n";  // whole numbers: a table with kinds, unless it is to be whitened
  for (int i = 0; i < 90; ++i) counts += fmt::format("{},{}\n", 0.37 * (i % 23), i * i % 41);
  write("b.csv", counts);
  const auto whitened = [&](Streaming stream) {
    Recipe plain = recipe(1);
    plain.normalisation = NormalisationKind::whiten;
    const LoadOptions options{.typed = true};
    return flat_weights(*train(load("b.csv", stream, options), plain, Rng(3)).network);
  };
  EXPECT_TRUE(whitened(Streaming::yes).equal(whitened(Streaming::no)));
}

/// Stopped after some steps and resumed, each part with rows where they are said to be.
TEST_F(Stream, ARunIsResumedExactlyWhereverItsRowsAre) {
  write_table();
  const Tensor expected = trained(load("a.npy", Streaming::no));
  for (const auto& [first, second] :
       {std::pair(Streaming::yes, Streaming::yes), std::pair(Streaming::yes, Streaming::no),
        std::pair(Streaming::no, Streaming::yes)}) {
    const TestFolder place(place_in_memory());
    const RunFolder folder(place / "run");
    Recipe stopping = recipe(2);
    int64_t steps = 0;
    stopping.hooks.on_step = [&](int64_t step, double, double) { steps = step; };
    stopping.hooks.should_stop = [&] { return steps >= 5; };
    const TrainedRun stopped = train_into(folder, load("a.npy", first), stopping, Rng(3));
    ASSERT_EQ(stopped.steps, 5);
    const TrainedRun run = train_into(folder, load("a.npy", second), recipe(4), Rng(3), {.resume = true});
    EXPECT_EQ(run.first_step, 5);
    EXPECT_EQ(run.waits.asked > 0, second == Streaming::yes);
    EXPECT_TRUE(flat_weights(*run.model.network).equal(expected));
  }
}

TEST_F(Stream, RanksTrainAsInMemory) {
  write_table();
  const auto among = [&](Streaming stream) {
    std::vector<Tensor> weights(2);
    EXPECT_THAT(run_ranks(2,
                          [&](const Ranks& ranks) {
                            Recipe mine = recipe(2);
                            mine.options.ranks = ranks;
                            const Model model = train(load("a.npy", stream), mine, Rng(3));
                            weights[static_cast<size_t>(ranks.rank())] = flat_weights(*model.network);
                          }),
                Each(""));
    EXPECT_TRUE(weights[0].equal(weights[1]));
    return weights[0];
  };
  EXPECT_TRUE(among(Streaming::yes).equal(among(Streaming::no)));
}

TEST_F(Stream, SkippedAndRepeatedStepsGetTheirOwnBatches) {
  write_table();
  const auto with_checkpoints = [&](Streaming stream) {
    Recipe often = recipe(3);
    often.options.checkpoint_every = 3;  // the batch after it is looked at before it is trained on
    often.options.held_out_every = 4;
    return flat_weights(*train(load("a.npy", stream), often, Rng(3)).network);
  };
  EXPECT_TRUE(with_checkpoints(Streaming::yes).equal(with_checkpoints(Streaming::no)));
}

TEST_F(Stream, AnImageThatChangesWhileItIsInUseIsNamed) {
  write_images();
  const Dataset data = load("faces", Streaming::yes);
  const TrainingPlan plan = resolve(data, recipe(2), Rng(3));
  write_images();  // every file is another
  Trainer trainer = plan.trainer();
  const std::string error = refusal_of([&] { trainer.run({}); });
  EXPECT_THAT(error, HasSubstr(".png: it was changed while the images of its folder were in use"));
}

TEST_F(Stream, AnImageThatCannotBeDecodedIsNamedBeforeTheWork) {
  write_images();
  const std::string whole = read("faces/dog/12.png");
  write("faces/dog/12.png", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(refusal_of([&] { load("faces", Streaming::yes); }),
              HasSubstr("faces/dog/12.png: not a readable PNG image"));
  write("faces/dog/12.png", encode_png(at::zeros({1, 9, 8}, at::kByte)));
  EXPECT_THAT(refusal_of([&] { load("faces", Streaming::yes); }),
              HasSubstr("faces/dog/12.png: 8 x 9 pixels, but"));
}

TEST_F(Stream, ATableIsReadOnceBeforeTheFirstStep) {
  constexpr int64_t n = 200'000;
  Dataset data{.values = {}, .columns = {"a", "b"}};
  const auto read = std::make_shared<std::atomic<int64_t>>(0);
  data.stored = mapped_rows(rows_of_tensor(Rng(5).normal({n, 2}, {}, at::kDouble)), {2}, at::kDouble,
                            [read](const Tensor& rows) {
                              *read += rows.size(0);
                              return rows;
                            });
  Recipe brief = recipe(1);
  brief.options.steps = 2;
  const RunFolder folder(path("run"));
  train_into(folder, data, brief, Rng(3));  // with a checkpoint, which knows the rows by their checksum
  // Beside the pass: 10,000 first rows, 10,000 held out, twice, 4096 of the prior's fit, a few batches.
  EXPECT_GE(*read, n);
  EXPECT_LT(*read, n + 45'000);
}

TEST_F(Stream, ATableThatWasLeftUnreadIsRefusedAsOneThatWasRead) {
  Tensor bad = Rng(1).normal({90, 3}, {});
  bad[41][2] = NAN;
  save_npy(path("a.npy"), bad);
  const std::string expected = refusal_of([&] { load("a.npy", Streaming::yes); });
  EXPECT_THAT(expected, HasSubstr("a.npy: row 41 (from 0), element 2: expected a finite number"));
  const Dataset unread = load("a.npy", Streaming::yes, {.leave_unread = true});
  EXPECT_EQ(refusal_of([&] { resolve(unread, recipe(1), Rng(3)); }), expected);
  Recipe given = recipe(1);
  given.condition = {"x0"};
  EXPECT_EQ(refusal_of([&] { resolve(unread, given, Rng(3)); }), expected);
}

/// The checksum of a checkpoint is that of rows in memory, wherever the rows of the run are.
TEST_F(Stream, TheSurveyHashesWhatARecordHolds) {
  write_table();
  const Split in_memory = training_split(load("a.npy", Streaming::no), 0.2, false, Rng(3));
  const Dataset stored = load("a.npy", Streaming::yes);
  const Split parts = training_split(stored, 0.2, false, Rng(3));
  const RowSurvey survey = survey_rows(stored, parts);
  EXPECT_EQ(data_record(parts, survey.content), data_record(in_memory));
  EXPECT_EQ(survey.content.size(), 32);
  EXPECT_TRUE(survey.low().equal(stored.loaded().values.amin(0)));
  EXPECT_TRUE(survey.high().equal(stored.loaded().values.amax(0)));
}

Batch numbered_batch(int64_t step) {
  return {.x0 = at::full({2}, static_cast<double>(step)), .label = {}, .step = static_cast<uint64_t>(step)};
}

TEST(Prefetch, GivesTheBatchOfEachStepWhateverTheWorkers) {
  for (const int64_t workers : {1, 2, 4}) {
    Prefetch ahead(numbered_batch, 3, workers, 5);
    // Forward, again, and back, as a run that rewinds asks.
    for (const int64_t step : {3, 4, 5, 5, 6, 7, 4, 5, 6, 7, 8, 9, 20, 21, 3})
      EXPECT_EQ(ahead.batch(step).x0[0].item<int64_t>(), step) << workers;
    EXPECT_EQ(ahead.waits().asked, 15);
  }
}

TEST(Prefetch, ThrowsWhatMakingABatchThrewWhenItIsAskedFor) {
  const auto make = [](int64_t step) {
    if (step == 4) fail(ErrorKind::input, "step 4 cannot be read");
    return numbered_batch(step);
  };
  Prefetch ahead(make, 0, 2, 8);
  for (int64_t step = 0; step < 4; ++step) ahead.batch(step);
  EXPECT_EQ(refusal_of([&] { ahead.batch(4); }), "step 4 cannot be read");
  EXPECT_EQ(ahead.batch(5).step, 5u);
}

TEST(StepRows, EveryEpochSeesEveryRowOnce) {
  const StepRows rows(Rng(1), 10, 4);
  std::vector<Tensor> seen;
  for (int64_t step = 0; step < 5; ++step) seen.push_back(rows.of_step(step));
  const Tensor all = at::cat(seen);
  for (int64_t epoch = 0; epoch < 2; ++epoch)
    EXPECT_TRUE(std::get<0>(all.narrow(0, 10 * epoch, 10).sort()).equal(at::arange(10, at::kLong)));
  EXPECT_FALSE(all.narrow(0, 0, 10).equal(all.narrow(0, 10, 10)));
  EXPECT_TRUE(rows.of_step(1).equal(seen[1]));  // in any order
}

}  // namespace
}  // namespace fokker
