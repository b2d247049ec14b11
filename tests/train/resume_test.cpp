// A state on disk: what continues from it, and what is refused.
#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
#include "fokker/format/safetensors.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

// 20 steps at once and 12 + 8 through a checkpoint on disk give the same bits.
class TrainerResumes : public testing::TestWithParam<int64_t> {};

TEST_P(TrainerResumes, Exactly) {
  const TestFolder folder;
  SmallRun s;
  s.options.batch = GetParam();
  Trainer whole = make_trainer(s);
  whole.run({});
  Trainer first = make_trainer(s);
  TrainHooks hooks;
  hooks.should_stop = [&] { return first.step() >= 12; };
  EXPECT_EQ(first.run(hooks), TrainOutcome::stopped);
  first.save_state(folder.path());
  Trainer second = make_trainer(s);
  second.load_state(folder.path());
  EXPECT_EQ(second.step(), 12);
  EXPECT_EQ(second.run({}), TrainOutcome::completed);
  EXPECT_TRUE(at::equal(weights(whole), weights(second)));
  EXPECT_EQ(whole.held_out_loss(), second.held_out_loss());
}

// A batch of the plain form, and one of the fused.
INSTANTIATE_TEST_SUITE_P(Batches, TrainerResumes, testing::Values(16, 100));

/// Step, loss, held-out loss and spikes of each line of metrics.
std::vector<std::vector<double>> lines_of(Trainer& trainer, int64_t stop_at) {
  std::vector<std::vector<double>> lines;
  TrainHooks hooks;
  hooks.should_stop = [&] { return trainer.step() >= stop_at; };
  hooks.on_metrics = [&](const TrainMetrics& m) {
    lines.push_back(
        {static_cast<double>(m.step), m.loss, m.held_out_loss.value_or(-1), static_cast<double>(m.spikes)});
  };
  trainer.run(hooks);
  return lines;
}

// A line is the mean of all steps since the one before it, also where a checkpoint came between.
TEST(Trainer, WritesTheSameLinesWhereItWasResumed) {
  SmallRun s;
  s.options.log_every = 5;
  s.options.held_out_every = 10;
  Trainer whole = make_trainer(s);
  const auto expected = lines_of(whole, 1000);
  ASSERT_EQ(expected.size(), 4U);
  for (const int64_t stop : {3, 5, 8, 13}) {
    const TestFolder folder;
    Trainer first = make_trainer(s);
    auto lines = lines_of(first, stop);
    first.save_state(folder.path());
    Trainer second = make_trainer(s);
    second.load_state(folder.path());
    for (const auto& line : lines_of(second, 1000)) lines.push_back(line);
    EXPECT_EQ(lines, expected) << stop;
  }
}

/// A trainer in which one thing is another than in `make_trainer(SmallRun{})`.
struct Change {
  const char* named;  ///< what the refusal says
  DenoiserSpec spec = {.process = VariancePreserving{}};
  MlpOptions network = {.dimension = 2, .width = 16, .depth = 1};
  NormalisationKind normalisation = NormalisationKind::standardise;
  Tensor training = small_table(50).values, held_out = small_table(10, 2).values, labels = {};
  int64_t batch = 16;
  uint64_t seed = 7;
};

Trainer changed_trainer(const Change& c) {
  Dataset training{.values = c.training, .columns = {"a", "b"}, .labels = c.labels, .source = "elsewhere"};
  Dataset held_out{.values = c.held_out, .columns = {"a", "b"}, .source = "elsewhere"};
  if (c.labels.defined()) held_out.labels = at::zeros({held_out.size()}, at::kLong);
  const Normalisation normalisation = Normalisation::fit(training.values, c.normalisation);
  const SmallRun usual;
  TrainOptions options = usual.options;
  options.batch = c.batch;
  return Trainer(std::make_unique<Mlp>(c.network, 3), c.spec, std::make_shared<DenoisingObjective>(),
                 {training, held_out}, normalisation, options, Rng(c.seed));
}

TEST(Trainer, RefusesACheckpointOfAnotherProblem) {
  const TestFolder folder;
  make_trainer(SmallRun{}).save_state(folder.path());
  Tensor one_other = small_table(50).values.clone();
  one_other[49][1] += 1e-9;
  Change unlike[] = {
      {.named = R"(process.type was "vp" and is now "ve")", .spec = {.process = VarianceExploding{}}},
      {.named = "process.beta_max was 20.0 and is now 10.0",
       .spec = {.process = VariancePreserving{.beta_max = 10}}},
      {.named = R"(prediction.name was "velocity" and is now "noise")",
       .spec = {.process = VariancePreserving{}, .prediction = Prediction::noise()}},
      {.named = "input.scale was 1.0 and is now 1000.0",
       .spec = {.process = VariancePreserving{}, .time_input = {.scale = 1000}}},
      {.named = "network.width was 16 and is now 32", .network = {.dimension = 2, .width = 32, .depth = 1}},
      {.named = R"(normalisation was "standardise" and is now "identity")",
       .normalisation = NormalisationKind::identity},
      {.named = "data.values was", .training = one_other},
      {.named = "data.values was", .training = small_table(50).values.flip(0)},
      {.named = "data.values was", .held_out = small_table(10, 3).values},
      {.named = "data.rows was 50 and is now 51", .training = small_table(51).values},
      {.named = "data.type was", .training = small_table(50).values.to(at::kFloat)},
      {.named = "data.labels was null", .labels = at::zeros({50}, at::kLong)},
      {.named = "batch was 16 and is now 17", .batch = 17},
      {.named = "seed was", .seed = 8},
      // As doubles, which seeds were compared as, these two are one.
      {.named = "seed was", .seed = uint64_t{1} << 63},
  };
  for (const Change& change : unlike) {
    Trainer other = changed_trainer(change);
    const Tensor before = weights(other);
    expect_error([&] { other.load_state(folder.path()); }, ErrorKind::input, change.named);
    EXPECT_TRUE(at::equal(weights(other), before)) << change.named;
    EXPECT_EQ(other.step(), 0);
  }
  Trainer same = changed_trainer({.named = ""});
  EXPECT_TRUE(same.load_state(folder.path()));
}

TEST(Trainer, NamesEveryDifferenceAndWhatTheCallerKnows) {
  const TestFolder folder;
  Trainer trainer = make_trainer(SmallRun{});
  trainer.describe({{"objective", "denoising"}});
  trainer.save_state(folder.path());
  Trainer other = changed_trainer({.named = "", .spec = {.process = VarianceExploding{}}, .batch = 4});
  other.describe({{"objective", "sliced"}});
  for (const char* text :
       {"batch was 16 and is now 4", R"(objective was "denoising" and is now "sliced")", "process.type"})
    expect_error([&] { other.load_state(folder.path()); }, ErrorKind::input, text);
}

TEST(Trainer, SeedsAreComparedToTheLastBit) {
  const TestFolder folder;
  const auto seeded = [](uint64_t seed) { return changed_trainer({.named = "", .seed = seed}); };
  seeded(UINT64_MAX).save_state(folder.path());
  Trainer same = seeded(UINT64_MAX), other = seeded(UINT64_MAX - 1);
  EXPECT_TRUE(same.load_state(folder.path()));
  expect_error([&] { other.load_state(folder.path()); }, ErrorKind::input, "seed was");
}

// What may change between a run and its continuation does.
TEST(Trainer, ResumesWithAnotherBudgetAndRate) {
  const TestFolder folder;
  make_trainer(SmallRun{}).save_state(folder.path());
  SmallRun s;
  s.options.steps = 30;
  s.options.learning_rate = 1e-4;
  s.options.weight_decay = 0.1;
  s.options.gradient_clip = 0;
  s.options.ema_decay = 0.9;
  s.options.checkpoint_every = 7;
  Trainer again = make_trainer(s);
  EXPECT_TRUE(again.load_state(folder.path()));
}

// Earlier versions recorded the network, the seed and the batch size.
TEST(Trainer, ACheckpointWithoutARecordSaysSo) {
  const TestFolder folder;
  const Trainer trainer = make_trainer(SmallRun{});
  trainer.save_state(folder.path());
  Json state = read_json(folder.path() / "state.json");
  const Json problem = state["problem"];
  for (const char* key : {"problem", "format"}) state.erase(key);
  for (const char* key : {"network", "seed", "batch"}) state[key] = problem[key];
  write_file_atomically(folder.path() / "state.json", state.dump());
  fs::remove(folder.path() / manifest_name);
  Trainer same = make_trainer(SmallRun{}), other = changed_trainer({.named = "", .batch = 17});
  EXPECT_FALSE(same.load_state(folder.path()));
  expect_error([&] { other.load_state(folder.path()); }, ErrorKind::input, "batch was 16 and is now 17");
}

/// What earlier versions wrote: no manifest, and a state that knows of none.
void forget_manifest(const fs::path& folder) {
  fs::remove(folder / manifest_name);
  Json state = read_json(folder / "state.json");
  state.erase("format");
  write_file_atomically(folder / "state.json", state.dump());
}

TEST(Trainer, RefusesADamagedCheckpointOfAnEarlierVersion) {
  const TestFolder folder;
  make_trainer(SmallRun{}).save_state(folder.path());
  forget_manifest(folder);
  const std::string good = read_file(folder.path() / "state.json");
  for (const char* bad : {"[]", "{}", R"({"step": -1, "seconds": 0})", R"({"step": 1e300, "seconds": 0})",
                          R"({"step": 1, "seconds": "long"})", R"({"step": 1, "seconds": -2})"}) {
    write_file_atomically(folder.path() / "state.json", bad);
    Trainer trainer = make_trainer(SmallRun{});
    expect_error([&] { trainer.load_state(folder.path()); }, ErrorKind::input, "state.json: expected");
  }
  write_file_atomically(folder.path() / "state.json", good);
  fs::remove(folder.path() / "second_moment.safetensors");
  Trainer trainer = make_trainer(SmallRun{});
  expect_error([&] { trainer.load_state(folder.path()); }, ErrorKind::input, "second_moment.safetensors");
}

TEST(Trainer, RefusesACheckpointThatLacksATensorOrHasAnotherShape) {
  const TestFolder folder;
  make_trainer(SmallRun{}).save_state(folder.path());
  forget_manifest(folder);
  const auto file = folder.path() / "average.safetensors";
  const std::vector<NamedTensor> whole = load_safetensors(file).tensors;
  const auto refused = [&](const std::vector<NamedTensor>& tensors) {
    save_safetensors(file, tensors);
    Trainer trainer = make_trainer(SmallRun{});
    expect_error([&] { trainer.load_state(folder.path()); }, ErrorKind::input,
                 "average.safetensors: expected a tensor '" + whole[0].name + "'");
  };
  refused({whole.begin() + 1, whole.end()});
  std::vector<NamedTensor> longer = whole;
  longer[0].tensor = at::cat({whole[0].tensor, whole[0].tensor});
  refused(longer);
}

}  // namespace
}  // namespace fokker
