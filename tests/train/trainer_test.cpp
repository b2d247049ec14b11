#include "fokker/train/trainer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fokker/core/error.h"
#include "fokker/denoise/analytic.h"
#include "fokker/nn/mlp.h"
#include "fokker/objective/denoising.h"
#include "support.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;

Dataset table(int64_t rows, uint64_t seed = 1) {
  const Tensor values = Rng(seed).normal({rows, 2}, {}, at::kDouble) * vector_of({0.5, 2.0}) + 3;
  return {.values = values, .columns = {"a", "b"}, .labels = {}, .label_names = {}, .source = "test"};
}

struct Recipe {
  TrainOptions options{.steps = 20,
                       .batch = 16,
                       .learning_rate = 5e-3,
                       .warm_up = 3,
                       .log_every = 5,
                       .held_out_every = 10,
                       .checkpoint_every = 1000};
  uint64_t seed = 7;
  int64_t rows = 50;
  bool energy = false;
  std::shared_ptr<const Objective> objective = std::make_shared<DenoisingObjective>();
};

Trainer make_trainer(const Recipe& s) {
  Split data{table(s.rows), table(10, 2)};
  Normalisation normalisation = Normalisation::fit(data.training.values, NormalisationKind::standardise);
  return Trainer(std::make_unique<Mlp>(MlpOptions{.dimension = 2, .width = 16, .depth = 1}, 3),
                 GaussianProcess(VariancePreserving{}), Prediction::velocity(), {}, s.objective,
                 std::move(data), std::move(normalisation), s.options, Rng(s.seed));
}

Tensor weights(const Trainer& trainer) {
  std::vector<Tensor> flat;
  for (const auto& [name, tensor] : trainer.averaged_network().parameters()) flat.push_back(tensor.flatten());
  return at::cat(flat).clone();
}

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("fokker-trainer-{}", ::getpid())) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(FlatParameters, AreViewsOfTheNetwork) {
  Mlp network(MlpOptions{.dimension = 2, .width = 8, .depth = 1}, 3);
  const std::unique_ptr<Network> before = network.clone();
  network.set_requires_grad(true);
  FlatParameters flat(network);
  EXPECT_EQ(flat.values().numel(), network.parameter_count());
  const auto views = named_views(network, flat.values());
  for (size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(views[i].name, network.parameters()[i].name);
    EXPECT_TRUE(at::equal(views[i].tensor, before->parameters()[i].tensor));
    EXPECT_EQ(views[i].tensor.data_ptr(), network.parameters()[i].tensor.data_ptr());
  }
  // The gradient of sum over outputs lands in the flat buffer, and a second pass adds to it.
  const Tensor x = Rng(4).normal({5, 2}), t = at::full({5}, 0.3);
  network.forward(x, t, {}).sum().backward();
  const Tensor once = flat.gradients().clone();
  EXPECT_GT(once.abs().sum().item<double>(), 0);
  network.forward(x, t, {}).sum().backward();
  EXPECT_TRUE(at::allclose(flat.gradients(), 2 * once));
  flat.values().zero_();
  EXPECT_EQ(network.forward(x, t, {}).abs().max().item<double>(), 0);
}

TEST(Trainer, LowersTheHeldOutLossTowardsTheBayesLoss) {
  Recipe s;
  s.rows = 2000;
  s.options.steps = 600;
  s.options.batch = 128;
  s.options.ema_decay = 0.98;
  Trainer trainer = make_trainer(s);
  const double before = trainer.held_out_loss();
  EXPECT_EQ(trainer.run({}), TrainOutcome::completed);
  // Standardised Gaussian data under VP: the best velocity prediction is 0, and its loss is that of E|v|^2
  // = 1.
  EXPECT_NEAR(trainer.held_out_loss(), before, 0.15);
  const Tensor x = Rng(5).normal({500, 2});
  const Denoiser& learned = trainer.averaged();
  const GaussianProcess& vp = learned.process();
  EXPECT_LT((learned.estimate(x, 0.4).denoised() - vp.alpha(0.4) * x).square().mean().item<double>(), 0.02);
}

TEST(Trainer, RepeatsItselfWithOneSeedAndNotWithAnother) {
  Recipe s;
  Trainer first = make_trainer(s), second = make_trainer(s);
  first.run({});
  second.run({});
  EXPECT_TRUE(at::equal(weights(first), weights(second)));
  s.seed = 8;
  Trainer other = make_trainer(s);
  other.run({});
  EXPECT_FALSE(at::equal(weights(first), weights(other)));
}

// 20 steps at once and 12 + 8 through a checkpoint on disk give the same bits.
TEST(Trainer, ResumesExactly) {
  const Folder folder;
  Recipe s;
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

TEST(Trainer, RefusesACheckpointOfAnotherRun) {
  const Folder folder;
  Recipe s;
  Trainer trainer = make_trainer(s);
  trainer.save_state(folder.path());
  s.seed = 99;
  Trainer other = make_trainer(s);
  EXPECT_THROW(other.load_state(folder.path()), Error);
  fs::remove(folder.path() / "second_moment.safetensors");
  try {
    Trainer again = make_trainer(Recipe{});
    again.load_state(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("second_moment.safetensors"), std::string::npos);
  }
}

/// Records the first column of every row that training shows it; its loss is that of the parameters squared.
class Recording final : public Objective {
 public:
  explicit Recording(std::vector<double>& seen, int64_t bad_step = -1) : seen_(seen), bad_step_(bad_step) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    for (int64_t i = 0; i < batch.x0.size(0); ++i) seen_.push_back(batch.x0[i][0].item<double>());
    const Tensor value = denoiser.estimate(batch.x0, 0.5).value().square().sum(1);
    return batch.step == bad_step_ ? value * NAN : value;
  }

 private:
  std::vector<double>& seen_;
  int64_t bad_step_;
};

TEST(Trainer, ShowsEveryRowOnceInEveryEpoch) {
  std::vector<double> seen;
  Recipe s;
  s.objective = std::make_shared<Recording>(seen);
  s.rows = 40;
  s.options.batch = 16;
  s.options.steps = 5;  // 80 rows: two epochs, with a batch across their border
  Trainer trainer = make_trainer(s);
  trainer.run({});
  ASSERT_EQ(seen.size(), 80u);
  std::vector<double> first(seen.begin(), seen.begin() + 40), second(seen.begin() + 40, seen.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
}

TEST(Trainer, NamesTheStepAtWhichItDiverged) {
  std::vector<double> seen;
  Recipe s;
  s.objective = std::make_shared<Recording>(seen, 3);
  Trainer trainer = make_trainer(s);
  try {
    trainer.run({});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::diverged);
    EXPECT_NE(std::string(error.what()).find("at step 4 is nan"), std::string::npos);
  }
  EXPECT_EQ(trainer.step(), 3);
  EXPECT_TRUE(weights(trainer).isfinite().all().item<bool>());
}

TEST(Trainer, WarmsUpAndDecaysTheLearningRate) {
  Recipe s;
  s.options = {.steps = 100,
               .batch = 8,
               .learning_rate = 1e-2,
               .warm_up = 10,
               .final_learning_rate = 0.1,
               .log_every = 1,
               .held_out_every = 1000};
  Trainer trainer = make_trainer(s);
  std::vector<double> rates;
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& m) { rates.push_back(m.learning_rate); };
  trainer.run(hooks);
  ASSERT_EQ(rates.size(), 100u);
  EXPECT_NEAR(rates[0], 1e-2 * 0.1, 1e-6);
  EXPECT_NEAR(rates[50], 1e-2 * 0.55, 1e-9);
  EXPECT_NEAR(rates[99], 1e-2 * 0.1, 1e-5);
}

TEST(Trainer, RefusesNonsense) {
  Recipe s;
  s.options.batch = 0;
  EXPECT_THROW(make_trainer(s), Error);
  s.options.batch = 8;
  s.options.learning_rate = -1;
  EXPECT_THROW(make_trainer(s), Error);
}

}  // namespace
}  // namespace fokker
