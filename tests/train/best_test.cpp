// The best held-out loss: which weights are kept for it, and when there is none to wait for.
#include "fokker/core/file/files.h"
#include "fokker/train/train_into.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

/// Held-out losses by a list, from one of its places on; its training loss is of the parameters.
class Scripted final : public Objective {
 public:
  explicit Scripted(std::vector<double> script, size_t first = 0)
      : script_(std::move(script)), next_(first) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    const Tensor value = denoiser.estimate(batch.x0, 0.5).value().square().sum(1);
    return at::GradMode::is_enabled() ? value : at::full_like(value, script_.at(next_++));
  }

 private:
  std::vector<double> script_;
  mutable size_t next_;
};

const std::vector<double> script = {3, 2, 2.5, 1, 1.5, 1, 1.1, 9, 9, 9, 9};

SmallRun scripted_run(int64_t patience, size_t first = 0) {
  SmallRun s;
  s.options.held_out_every = 2;
  s.options.keep_best = true;
  s.options.patience = patience;
  s.objective = std::make_shared<Scripted>(script, first);
  return s;
}

Tensor flat(const Network& network) {
  std::vector<Tensor> parts;
  for (const auto& [name, tensor] : network.parameters()) parts.push_back(tensor.detach().flatten());
  return at::cat(parts).clone();
}

// The fourth held-out loss, after step 8, is the lowest; three that are not lower follow.
TEST(BestHeldOut, KeepsItsWeightsAndEndsAfterThePatience) {
  Trainer trainer = make_trainer(scripted_run(3));
  Tensor at_8;
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& line) {
    if (line.step == 8) at_8 = weights(trainer);
  };
  EXPECT_EQ(trainer.run(hooks), TrainOutcome::early);
  EXPECT_EQ(trainer.step(), 14);
  ASSERT_TRUE(trainer.best());
  EXPECT_EQ(trainer.best()->loss, 1);
  EXPECT_EQ(trainer.best()->step, 8);
  EXPECT_TRUE(at::equal(flat(*trainer.best_network()), at_8));
  EXPECT_FALSE(at::equal(weights(trainer), at_8));
  Trainer again = make_trainer(scripted_run(0));
  EXPECT_EQ(again.run({}), TrainOutcome::completed);
  EXPECT_EQ(again.best()->step, 8);
}

// As if it had not been interrupted, also between the best loss and the end.
TEST(BestHeldOut, IsPartOfTheState) {
  for (const int64_t stop : {6, 10}) {
    const TestFolder folder{place_in_memory()};
    Trainer whole = make_trainer(scripted_run(3)), first = make_trainer(scripted_run(3));
    Trainer second = make_trainer(scripted_run(3, static_cast<size_t>(stop / 2)));
    whole.run({});
    TrainHooks hooks;
    hooks.should_stop = [&] { return first.step() >= stop; };
    EXPECT_EQ(first.run(hooks), TrainOutcome::stopped);
    first.save_state(folder);
    second.load_state(folder);
    EXPECT_EQ(second.run({}), TrainOutcome::early);
    EXPECT_EQ(second.step(), 14);
    EXPECT_TRUE(at::equal(flat(*second.best_network()), flat(*whole.best_network())));
  }
}

TEST(BestHeldOut, IsAModelOfItsOwnBesideTheLast) {
  const TestFolder folder{place_in_memory()};
  const auto recipe = [](int64_t patience) {
    Recipe r;
    r.mlp.width = 8;
    r.mlp.depth = 1;
    r.objective = std::make_shared<Scripted>(script);
    r.options = {.steps = 20,
                 .batch = 8,
                 .held_out_every = 2,
                 .checkpoint_every = 5,
                 .keep_best = true,
                 .patience = patience};
    return r;
  };
  const RunFolder run(folder / "run");
  const TrainedRun trained = train_into(run, small_table(50), recipe(3), Rng(3));
  EXPECT_EQ(trained.outcome, TrainOutcome::early);
  EXPECT_EQ(trained.best->step, 8);
  const Model best = load_model(run.best()), last = load_model(run.path());
  EXPECT_EQ(best.training.steps_done, 8);
  EXPECT_EQ(best.training.held_out_loss, 1.0);
  EXPECT_EQ(last.training.steps_done, 14);
  EXPECT_FALSE(last.training.held_out_loss);
  EXPECT_FALSE(at::equal(flat(*best.network), flat(*last.network)));
  // A program's model is the best one.
  const Model returned = train(small_table(50), recipe(3), Rng(3));
  EXPECT_TRUE(at::equal(flat(*returned.network), flat(*best.network)));
  Recipe none = recipe(3);
  none.held_out = 0;
  expect_error([&] { train(small_table(50), none, Rng(3)); }, ErrorKind::argument, "expected held-out rows");
}

}  // namespace
}  // namespace fokker
