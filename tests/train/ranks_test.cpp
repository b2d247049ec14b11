// Several ranks train as one does.
#include <gmock/gmock.h>

#include <mutex>

#include "distributed/several.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/nn/unet/unet.h"
#include "fokker/objective/registry.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

using MakeTrainer = std::function<Trainer(const Ranks& ranks)>;

struct Trained {
  std::vector<double> losses;  ///< of each step
  std::vector<double> held_out;
  Tensor weights;
  int64_t steps = 0;
};

Trained train_alone(const MakeTrainer& make, const Ranks& ranks = {}) {
  Trained trained;
  Trainer trainer = make(ranks);
  TrainHooks hooks;
  hooks.on_step = [&](int64_t, double, double loss) { trained.losses.push_back(loss); };
  hooks.on_metrics = [&](const TrainMetrics& metrics) {
    if (metrics.held_out_loss) trained.held_out.push_back(*metrics.held_out_loss);
  };
  trainer.run(hooks);
  trained.weights = weights(trainer);
  trained.steps = trainer.step();
  return trained;
}

/// What the first of several ranks was told; the weights of all must have the same bits.
Trained train_among(int64_t size, const MakeTrainer& make) {
  std::vector<Trained> all(static_cast<size_t>(size));
  EXPECT_THAT(run_ranks(size,
                        [&](const Ranks& ranks) {
                          all[static_cast<size_t>(ranks.rank())] = train_alone(make, ranks);
                        }),
              Each(""));
  for (const Trained& other : all) {
    EXPECT_TRUE(other.weights.equal(all[0].weights));
    EXPECT_TRUE(&other == &all[0] || other.losses.empty()) << "rank 0 alone tells";
  }
  return all[0];
}

void expect_same_course(const Trained& found, const Trained& expected, double tolerance) {
  ASSERT_EQ(found.losses.size(), expected.losses.size());
  for (size_t i = 0; i < expected.losses.size(); ++i)
    ASSERT_NEAR(found.losses[i] / expected.losses[i], 1, tolerance) << "step " << i + 1;
  ASSERT_EQ(found.held_out.size(), expected.held_out.size());
  for (size_t i = 0; i < expected.held_out.size(); ++i)
    EXPECT_NEAR(found.held_out[i] / expected.held_out[i], 1, tolerance);
}

MakeTrainer mlp_trainer(const SmallRun& run) {
  return [run](const Ranks& ranks) {
    SmallRun mine = run;
    mine.options.ranks = ranks;
    return make_trainer(mine);
  };
}

void expect_same_mlp(int64_t ranks, int64_t steps) {
  SmallRun run;
  run.options.steps = steps;
  run.options.batch = 15;  // parts of 8 and 7, or of 5
  const Trained alone = train_alone(mlp_trainer(run)), among = train_among(ranks, mlp_trainer(run));
  ASSERT_EQ(std::ssize(alone.losses), steps);
  expect_same_course(among, alone, 1e-5);
  EXPECT_LT((among.weights - alone.weights).abs().max().item<double>(), 1e-4);
}

TEST(SeveralRanks, TrainAnMlpAsOneDoes) {
  expect_same_mlp(2, 100);
  expect_same_mlp(3, 20);
}

Trainer unet_trainer(const Ranks& ranks) {
  const auto images = [](int64_t n, uint64_t seed) {
    return Dataset{.values = Rng(seed).normal({n, 1, 8, 8}).clamp(-1, 1), .source = "test"};
  };
  Split data{images(40, 1), images(6, 2)};
  Normalisation normalisation = Normalisation::fit(data.training.values, NormalisationKind::standardise);
  UNetOptions net = UNetOptions::for_images(1, 8, 8, 8);
  net.zero_output = false;
  TrainOptions options{
      .steps = 100, .batch = 6, .learning_rate = 2e-3, .log_every = 10, .held_out_every = 50};
  options.ranks = ranks;
  return Trainer(std::make_unique<UNet>(net, 3), {.process = VariancePreserving{}},
                 std::make_shared<DenoisingObjective>(), std::move(data), std::move(normalisation), options,
                 Rng(5));
}

TEST(SeveralRanks, TrainAUNetAsOneDoes) {
  expect_same_course(train_among(2, unet_trainer), train_alone(unet_trainer), 1e-5);
}

/// Times, noise, directions, steps of chains: what each objective draws is of the row's place in the batch.
TEST(SeveralRanks, EveryObjectiveSeesTheSameRows) {
  for (const std::string name : {"denoising", "implicit", "sliced", "elbo", "mean-matching", "simple"}) {
    SmallRun run;
    ObjectiveRecipe recipe;
    recipe.objective = name;
    recipe.weighting = "auto";
    recipe.denoising_weighting = "uniform";
    run.objective = make_objective(recipe).objective;
    run.options.steps = 3;
    run.options.batch = 9;
    expect_same_course(train_among(2, mlp_trainer(run)), train_alone(mlp_trainer(run)), 1e-4);
  }
}

TEST(SeveralRanks, AStopOfOneStopsAll) {
  SmallRun run;
  run.options.steps = 1000;
  std::vector<int64_t> steps(2);
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    Trainer trainer = mlp_trainer(run)(ranks);
    TrainHooks hooks;
    int64_t asked = 0;
    hooks.should_stop = [&] { return ranks.rank() == 1 && ++asked > 10; };
    check(trainer.run(hooks) == TrainOutcome::stopped, "stopped");
    steps[static_cast<size_t>(ranks.rank())] = trainer.step();
  });
  EXPECT_THAT(errors, Each(""));
  EXPECT_EQ(steps[0], steps[1]);
  EXPECT_EQ(steps[0], 10);
}

TEST(SeveralRanks, ARequestToOneEndsAll) {
  SmallRun run;
  run.options.steps = 100'000;
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    StopRequest request;
    const StopScope scope(&request);
    TrainHooks hooks;
    hooks.should_stop = [&, asked = 0]() mutable {
      if (ranks.rank() == 1 && ++asked > 10) request.make();
      return false;
    };
    mlp_trainer(run)(ranks).run(hooks);
  });
  EXPECT_THAT(errors, Each(HasSubstr("130 stopped on request: training had made 1")));
}

/// The clock is that of rank 0.
TEST(SeveralRanks, EndTogetherWhereTimeIsTheBudget) {
  SmallRun run;
  run.options.minutes = 0.1 / 60;
  std::vector<int64_t> steps(2);
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    Trainer trainer = mlp_trainer(run)(ranks);
    check(trainer.run({}) == TrainOutcome::completed, "completed");
    steps[static_cast<size_t>(ranks.rank())] = trainer.step();
  });
  EXPECT_THAT(errors, Each(""));
  EXPECT_EQ(steps[0], steps[1]);
  EXPECT_GT(steps[0], 0);
}

TEST(SeveralRanks, ALossThatIsNotFiniteIsSeenByAll) {
  SmallRun run;
  run.options.learning_rate = 1e30;
  const auto errors = run_ranks(2, [&](const Ranks& ranks) { mlp_trainer(run)(ranks).run({}); });
  EXPECT_THAT(errors, Each(HasSubstr("4 training diverged: the loss at step")));
}

TEST(SeveralRanks, OtherDataIsNamed) {
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    SmallRun run;
    run.rows = 50 + ranks.rank();
    mlp_trainer(run)(ranks).run({});
  });
  EXPECT_THAT(errors, Each(HasSubstr("3 rank 1 has other settings or data than rank 0: data")));
}

TEST(SeveralRanks, ABatchHasARowForEach) {
  SmallRun run;
  run.options.batch = 1;
  EXPECT_THAT(run_ranks(2, [&](const Ranks& ranks) { mlp_trainer(run)(ranks); }),
              Each(HasSubstr("expected a batch of at least a row for each of 2 processes but received 1")));
}

Recipe small_recipe(const Ranks& ranks, int64_t steps) {
  Recipe recipe;
  recipe.mlp.width = 16;
  recipe.mlp.depth = 1;
  recipe.options.steps = steps;
  recipe.options.batch = 12;
  recipe.options.log_every = 1;
  recipe.options.held_out_every = 10;
  recipe.options.checkpoint_every = 20;
  recipe.options.ranks = ranks;
  return recipe;
}

std::vector<double> losses_in(const fs::path& run) {
  std::vector<double> losses;
  for (const TrainMetrics& line : RunFolder(run).metrics()) losses.push_back(line.loss);
  return losses;
}

using SeveralRanksInAFolder = FolderTest;

/// Stopped at half, with two ranks; continued with another number of them. (Rate and warm-up go by the steps
/// in all.)
TEST_F(SeveralRanksInAFolder, ContinueWithAnotherNumber) {
  const auto trained = [&](const Ranks& ranks, const fs::path& run, int64_t stop_at, bool resume) {
    Recipe recipe = small_recipe(ranks, 20);
    int64_t made = 0;
    recipe.hooks.should_stop = [&] { return stop_at > 0 && ++made > stop_at; };
    return train_into(RunFolder(run), small_table(60), recipe, Rng(3), {.resume = resume});
  };
  trained({}, path("undisturbed"), 0, false);
  const auto undisturbed = losses_in(path("undisturbed"));
  ASSERT_EQ(undisturbed.size(), 20U);
  for (const int64_t size : {1, 3}) {
    const fs::path run = path(fmt::format("continued-{}", size));
    EXPECT_THAT(run_ranks(2, [&](const Ranks& ranks) { trained(ranks, run, 10, false); }), Each(""));
    ASSERT_EQ(losses_in(run).size(), 10U);
    if (size == 1)
      trained({}, run, 0, true);
    else
      EXPECT_THAT(run_ranks(size, [&](const Ranks& ranks) { trained(ranks, run, 0, true); }), Each(""));
    const auto continued = losses_in(run);
    ASSERT_EQ(continued.size(), 20U);
    for (size_t i = 0; i < 20; ++i) ASSERT_NEAR(continued[i] / undisturbed[i], 1, 1e-5) << "step " << i + 1;
  }
}

TEST_F(SeveralRanksInAFolder, TheSameNumberContinuesExactly) {
  const auto trained = [&](const fs::path& run, int64_t stop_at, bool resume) {
    std::vector<Tensor> found(2);
    EXPECT_THAT(run_ranks(2,
                          [&](const Ranks& ranks) {
                            Recipe recipe = small_recipe(ranks, 20);
                            int64_t made = 0;
                            recipe.hooks.should_stop = [&] { return stop_at > 0 && ++made > stop_at; };
                            const TrainedRun result = train_into(RunFolder(run), small_table(60), recipe,
                                                                 Rng(3), {.resume = resume});
                            std::vector<Tensor> flat;
                            for (const auto& [name, tensor] : result.model.network->parameters())
                              flat.push_back(tensor.flatten());
                            found[static_cast<size_t>(ranks.rank())] = at::cat(flat).clone();
                          }),
                Each(""));
    EXPECT_TRUE(found[0].equal(found[1]));
    return found[0];
  };
  const Tensor whole = trained(path("whole"), 0, false);
  trained(path("parts"), 13, false);
  EXPECT_TRUE(trained(path("parts"), 0, true).equal(whole));
}

TEST_F(SeveralRanksInAFolder, WhoIsLostIsNamedWithTheLastCheckpoint) {
  const fs::path run = path("run");
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    Recipe recipe = small_recipe(ranks, 40);
    int64_t made = 0;
    recipe.hooks.should_stop = [&] {
      check(ranks.root() || ++made <= 25, "of its own");
      return false;
    };
    train_into(RunFolder(run), small_table(60), recipe, Rng(3));
  });
  EXPECT_EQ(errors[1], "2 of its own");
  EXPECT_THAT(errors[0],
              HasSubstr("6 rank 1 was lost: it has ended, or its connection is cut; the last checkpoint is "
                        "that of step 20: continue with --resume"));
  EXPECT_TRUE(fs::exists(run / "checkpoints" / "step-000000020"));
}

/// A run that is there already is refused by all, for rank 0's reason.
TEST_F(SeveralRanksInAFolder, ARefusalIsThatOfRankZero) {
  write("run/fokker.json", "{}");
  const auto errors = run_ranks(2, [&](const Ranks& ranks) {
    train_into(RunFolder(path("run")), small_table(60), small_recipe(ranks, 10), Rng(3));
  });
  EXPECT_THAT(errors, Each(HasSubstr("2 " + path("run").string() + ": holds a run already")));
}

}  // namespace
}  // namespace fokker
