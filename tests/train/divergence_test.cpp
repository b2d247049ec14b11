// Losses that are not finite: what is kept of them, what training does, and how often.
#include <map>

#include "fokker/core/log.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

/// A loss that is not finite the first `times` times that a step is made. (Before a checkpoint the loss of
/// the step after it is looked at too.)
class BadSteps final : public Objective {
 public:
  explicit BadSteps(std::map<int64_t, int> times) : times_(std::move(times)) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    const Tensor value = (denoiser.estimate(batch.x0, 0.5).value() - 1).square().sum(1);
    const auto bad = times_.find(static_cast<int64_t>(batch.step));
    if (bad == times_.end() || bad->second == 0 || !at::GradMode::is_enabled()) return value;
    --bad->second;
    return value * NAN;
  }

 private:
  mutable std::map<int64_t, int> times_;
};

SmallRun bad_run(OnDivergence policy, std::map<int64_t, int> times) {
  SmallRun s;
  s.options.on_divergence = policy;
  s.options.checkpoint_every = 5;
  s.options.log_every = 1;
  s.objective = std::make_shared<BadSteps>(std::move(times));
  return s;
}

constexpr int always = 1 << 30;

/// The average before each turn of the loop, the lines of metrics, and where training went back to.
struct Followed {
  std::vector<std::pair<int64_t, Tensor>> averages;
  std::vector<TrainMetrics> lines;
  std::vector<int64_t> back;
};

Followed follow_trainer(Trainer& trainer) {
  Followed seen;
  TrainHooks hooks;
  hooks.should_stop = [&] {
    seen.averages.emplace_back(trainer.step(), weights(trainer));
    return false;
  };
  hooks.on_metrics = [&](const TrainMetrics& line) { seen.lines.push_back(line); };
  hooks.on_rewind = [&](int64_t step) { seen.back.push_back(step); };
  hooks.on_checkpoint = [](const Trainer& t) { EXPECT_TRUE(weights(t).isfinite().all().item<bool>()); };
  EXPECT_EQ(trainer.run(hooks), TrainOutcome::completed);
  return seen;
}

TEST(Divergence, ASkippedBatchChangesNothing) {
  Trainer trainer = make_trainer(bad_run(OnDivergence::skip, {{3, 1}, {9, 1}}));
  const Followed seen = follow_trainer(trainer);
  ASSERT_EQ(seen.averages.size(), 21u);
  for (size_t i = 0; i + 1 < seen.averages.size(); ++i) {
    EXPECT_EQ(seen.averages[i].first, static_cast<int64_t>(i));
    EXPECT_EQ(at::equal(seen.averages[i].second, seen.averages[i + 1].second), i == 3 || i == 9) << i;
  }
  EXPECT_EQ(trainer.incidents(), (Incidents{.skipped = 2}));
  ASSERT_EQ(seen.lines.size(), 18u);
  for (const TrainMetrics& line : seen.lines) {
    EXPECT_EQ(line.skipped, line.step == 5 || line.step == 11 ? 1 : 0) << line.step;
    EXPECT_TRUE(std::isfinite(line.loss));
  }
  EXPECT_EQ(to_json(seen.lines[3])["skipped"], 1);
}

// The moments are corrected by the number of updates that they have seen, also after a resume.
TEST(Divergence, ASkippedBatchIsPartOfTheState) {
  const TestFolder folder{place_in_memory()};
  const auto run = [] { return make_trainer(bad_run(OnDivergence::skip, {{3, 1}, {16, 1}})); };
  Trainer whole = run(), first = run(), second = run();
  whole.run({});
  TrainHooks hooks;
  hooks.should_stop = [&] { return first.step() >= 12; };
  first.run(hooks);
  first.save_state(folder);
  second.load_state(folder);
  second.run({});
  EXPECT_TRUE(at::equal(weights(whole), weights(second)));
  EXPECT_EQ(second.incidents().skipped, 2);
}

TEST(Divergence, RewindingGoesOnFromTheLastCheckpointAtHalfTheRate) {
  Trainer calm = make_trainer(bad_run(OnDivergence::rewind, {}));
  Trainer trainer = make_trainer(bad_run(OnDivergence::rewind, {{7, 2}, {12, 1}}));
  const Followed expected = follow_trainer(calm), seen = follow_trainer(trainer);
  EXPECT_EQ(seen.back, (std::vector<int64_t>{5, 5, 10}));
  EXPECT_EQ(trainer.incidents(), (Incidents{.rewinds = 3, .rate_factor = 0.125}));
  EXPECT_TRUE(calm.incidents() == Incidents());
  Tensor at_5;
  for (const auto& [step, average] : seen.averages) {
    if (step == 5 && at_5.defined()) {
      EXPECT_TRUE(at::equal(average, at_5));
    }
    if (step == 5) at_5 = average;
  }
  const auto rate = [](const Followed& run, int64_t step) {
    double last = 0;
    for (const TrainMetrics& line : run.lines)
      if (line.step == step) last = line.learning_rate;
    return last;
  };
  EXPECT_NEAR(rate(seen, 5), rate(expected, 5), 1e-15);
  EXPECT_NEAR(rate(seen, 9), rate(expected, 9) / 4, 1e-15);
  EXPECT_NEAR(rate(seen, 20), rate(expected, 20) / 8, 1e-15);
}

TEST(Divergence, EndsAfterItsLimit) {
  SmallRun skipping = bad_run(OnDivergence::skip, {{3, 1}, {6, 1}, {7, 1}});
  skipping.options.most_skips = 2;
  Trainer skipper = make_trainer(skipping);
  expect_error([&] { skipper.run({}); }, ErrorKind::diverged,
               "the loss at step 8 is nan (gradient norm nan), after 2 batches had been left out");
  Trainer rewinder = make_trainer(bad_run(OnDivergence::rewind, {{7, always}}));
  expect_error(
      [&] { rewinder.run({}); }, ErrorKind::diverged,
      "the loss at step 8 is nan (gradient norm nan), after going back 5 times to a learning rate of "
      "0.03125 times");
  for (const Trainer* trainer : {&skipper, &rewinder})
    EXPECT_TRUE(weights(*trainer).isfinite().all().item<bool>());
  expect_error([] { parse_on_divergence("panic"); }, ErrorKind::argument, "valid names: stop, skip, rewind");
}

TEST(Divergence, ARunFolderKeepsWhatHappened) {
  const TestFolder folder{place_in_memory()};
  std::vector<std::string> said;
  set_log_sink([&](LogLevel, std::string_view text) { said.emplace_back(text); });
  Recipe recipe;
  recipe.mlp.width = 8;
  recipe.mlp.depth = 1;
  recipe.objective = std::make_shared<BadSteps>(std::map<int64_t, int>{{7, 1}});
  recipe.options = {.steps = 10,
                    .batch = 8,
                    .log_every = 1,
                    .held_out_every = 4,
                    .checkpoint_every = 5,
                    .on_divergence = OnDivergence::rewind};
  const RunFolder run(folder / "run");
  const TrainedRun trained = train_into(run, small_table(50), recipe, Rng(3));
  set_log_sink(nullptr);
  EXPECT_EQ(trained.incidents.rewinds, 1);
  const auto lines = run.metrics();
  ASSERT_EQ(lines.size(), 10u);
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].step, static_cast<int64_t>(i) + 1);
  EXPECT_EQ(load_model(run.path()).training.incidents["rewinds"], 1);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], ::testing::HasSubstr("going back to step 5, and on at 0.5 times the learning rate"));
}

// A normal loss is never one that stands out; ten times its deviation above is, and does not change what is
// usual.
TEST(LossWatch, TellsWhatStandsOut) {
  LossWatch watch;
  const Tensor losses = Rng(3).normal({20'000}, {}, at::kDouble) * 0.1 + 1;
  int64_t found = 0;
  for (int64_t i = 0; i < losses.size(0); ++i) found += watch.stands_out(losses[i].item<double>());
  EXPECT_EQ(found, 0);
  EXPECT_NEAR(watch.mean(), 1, 0.05);
  EXPECT_NEAR(watch.deviation(), 0.1, 0.03);
  EXPECT_TRUE(watch.stands_out(3));
  EXPECT_FALSE(watch.stands_out(1.1));
  const LossWatch again = LossWatch::from_json(Json::parse(watch.to_json().dump()));
  EXPECT_EQ(again.mean(), watch.mean());
  EXPECT_EQ(again.deviation(), watch.deviation());
  LossWatch young;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(young.stands_out(i == 20 ? 1e6 : 1.0));
}

}  // namespace
}  // namespace fokker
