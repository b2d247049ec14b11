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
}

// By one node whose parts lie together already, and layer by layer in float64.
TEST(FlatParameters, GatherTheGradient) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    Mlp network(MlpOptions{.dimension = 2, .width = 8, .depth = 1, .zero_output = false}, 3);
    network.to(at::kCPU, type);
    network.set_requires_grad(true);
    FlatParameters flat(network);
    const Tensor x = Rng(4).normal({60, 2}, {}, type), t = at::full({60}, 0.3, type);
    std::vector<Tensor> parameters, expected;
    for (const auto& p : network.parameters()) parameters.push_back(p.tensor);
    for (const auto& part : gradients(network.forward(x, t, {}).square().sum(), parameters, false))
      expected.push_back(part.flatten());
    for (int i = 0; i < 2; ++i)  // nothing of a pass is left in the next
      EXPECT_TRUE(at::equal(flat.gradient(network.forward(x, t, {}).square().sum()), at::cat(expected)));
    // Only one parameter is left to depend on.
    const Tensor one = flat.gradient(network.parameter("output.bias").sum());
    EXPECT_EQ(one.sum().item<double>(), 2);
    EXPECT_EQ(one.narrow(0, one.size(0) - 2, 2).sum().item<double>(), 2);
  }
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
/// A network that only knows its plain form.
class PlainMlp final : public Network {
 public:
  explicit PlainMlp(const MlpOptions& options, uint64_t seed) : mlp_(options, seed) {
    for (const auto& p : mlp_.parameters()) add_parameter(p.name, p.tensor);
  }
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override {
    return mlp_.forward_plain(x, time, label);
  }
  Json config() const override { return mlp_.config(); }
  std::vector<int64_t> event_shape() const override { return mlp_.event_shape(); }

 private:
  Mlp mlp_;
};

// Rounding differs and grows from step to step; a wrong factor or a missing term would show at once.
TEST(Trainer, FusedStepsAreThePlainOnes) {
  const MlpOptions network{.dimension = 2, .width = 32, .depth = 2, .zero_output = false};
  std::vector<Tensor> averages;
  std::vector<double> losses;
  for (const bool fused : {true, false}) {
    const Dataset data = table(500);
    std::unique_ptr<Network> start;
    if (fused)
      start = std::make_unique<Mlp>(network, 3);
    else
      start = std::make_unique<PlainMlp>(network, 3);
    Trainer trainer(std::move(start), GaussianProcess(VariancePreserving{}), Prediction::noise(), {},
                    std::make_shared<DenoisingObjective>(), {data, table(100, 2)},
                    Normalisation::fit(data.values, NormalisationKind::standardise),
                    {.steps = 12, .batch = 96, .learning_rate = 1e-3, .warm_up = 1}, Rng(5));
    trainer.run({});
    averages.push_back(weights(trainer));
    losses.push_back(trainer.held_out_loss());
  }
  std::vector<Tensor> start;
  const Mlp untrained(network, 3);
  for (const auto& p : untrained.parameters()) start.push_back(p.tensor.detach().flatten());
  const double moved = (averages[1] - at::cat(start)).norm().item<double>();
  EXPECT_GT(moved, 0.1);
  EXPECT_LT((averages[0] - averages[1]).norm().item<double>(), 1e-3 * moved);
  EXPECT_NEAR(losses[0], losses[1], 1e-5 * losses[1]);
}

class TrainerResumes : public testing::TestWithParam<int64_t> {};

TEST_P(TrainerResumes, Exactly) {
  const Folder folder;
  Recipe s;
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
