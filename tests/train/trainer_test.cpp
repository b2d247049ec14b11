#include "fokker/train/trainer.h"

#include "fokker/denoise/analytic.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

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
  SmallRun s;
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
  SmallRun s;
  Trainer first = make_trainer(s), second = make_trainer(s);
  first.run({});
  second.run({});
  EXPECT_TRUE(at::equal(weights(first), weights(second)));
  s.seed = 8;
  Trainer other = make_trainer(s);
  other.run({});
  EXPECT_FALSE(at::equal(weights(first), weights(other)));
}

/// A network that only knows its plain form.
class PlainMlp final : public Network {
 public:
  explicit PlainMlp(const MlpOptions& options, uint64_t seed) : mlp_(options, seed) {
    for (const auto& p : mlp_.parameters()) add_parameter(p.name, p.tensor);
  }
  Tensor forward(const Tensor& x, const Tensor& time, const Tensor& label) const override {
    return mlp_.forward_plain(x, time, label);
  }
  std::unique_ptr<Network> clone() const override {
    auto copy = std::make_unique<PlainMlp>(mlp_.options(), 0);
    copy->copy_parameters(*this);
    return copy;
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
    const Dataset data = small_table(500);
    std::unique_ptr<Network> start;
    if (fused)
      start = std::make_unique<Mlp>(network, 3);
    else
      start = std::make_unique<PlainMlp>(network, 3);
    Trainer trainer(std::move(start), {.process = VariancePreserving{}, .prediction = Prediction::noise()},
                    std::make_shared<DenoisingObjective>(), {data, small_table(100, 2)},
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

/// Records the first column of every row that training shows it; its loss is that of the parameters squared.
class Recording final : public Objective {
 public:
  explicit Recording(std::vector<double>& seen, int64_t bad_step = -1) : seen_(seen), bad_step_(bad_step) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    for (int64_t i = 0; i < batch.x0.size(0); ++i) seen_.push_back(batch.x0[i][0].item<double>());
    const Tensor value = denoiser.estimate(batch.x0, 0.5).value().square().sum(1);
    return static_cast<int64_t>(batch.step) == bad_step_ ? value * NAN : value;
  }

 private:
  std::vector<double>& seen_;
  int64_t bad_step_;
};

TEST(Trainer, ShowsEveryRowOnceInEveryEpoch) {
  std::vector<double> seen;
  SmallRun s;
  s.objective = std::make_shared<Recording>(seen);
  s.rows = 40;
  s.options.batch = 16;
  s.options.steps = 5;  // 80 rows: two epochs, with a batch across their border
  Trainer trainer = make_trainer(s);
  trainer.run({});
  // After the last step the loss on the next batch is looked at, whether it is finite.
  ASSERT_EQ(seen.size(), 96u);
  seen.resize(80);
  std::vector<double> first(seen.begin(), seen.begin() + 40), second(seen.begin() + 40, seen.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
}

TEST(Trainer, NamesTheStepAtWhichItDiverged) {
  std::vector<double> seen;
  SmallRun s;
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

/// Its loss is finite until its last step has been made, whose gradient throws the weights beyond float32.
class Exploding final : public Objective {
 public:
  explicit Exploding(int64_t step) : step_(step) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    const Tensor value = denoiser.estimate(batch.x0, 0.5).value().square().sum(1);
    return static_cast<int64_t>(batch.step) > step_ ? value + INFINITY : value;
  }

 private:
  int64_t step_;
};

// The loss of a step is that of the weights before it: what the last one did was saved as a finished model.
TEST(Trainer, NoticesDivergenceInTheLastStep) {
  for (const int64_t every : {1000, 5}) {
    SmallRun s;
    s.options.steps = every == 5 ? 40 : 10;
    s.options.checkpoint_every = every;
    s.objective = std::make_shared<Exploding>(9);  // counted from 0: the tenth step is the last good one
    Trainer trainer = make_trainer(s);
    std::vector<int64_t> saved;
    TrainHooks hooks;
    hooks.on_checkpoint = [&](const Trainer& t) { saved.push_back(t.step()); };
    expect_error([&] { trainer.run(hooks); }, ErrorKind::diverged, "after step 10 the loss is inf");
    EXPECT_EQ(saved, every == 5 ? std::vector<int64_t>{5} : std::vector<int64_t>());
  }
}

TEST(Trainer, WarmsUpAndDecaysTheLearningRate) {
  SmallRun s;
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
  SmallRun s;
  s.options.batch = 0;
  EXPECT_THROW(make_trainer(s), Error);
  s.options.batch = 8;
  s.options.learning_rate = -1;
  EXPECT_THROW(make_trainer(s), Error);
  const auto refused = [](double TrainOptions::*member, double value) {
    SmallRun recipe;
    recipe.options.*member = value;
    expect_error([&] { make_trainer(recipe); }, ErrorKind::argument, "train: expected");
  };
  for (const double value : {-100.0, -1e-9, double(NAN), double(INFINITY), 1e6})
    refused(&TrainOptions::weight_decay, value);
  for (double TrainOptions::*member :
       {&TrainOptions::minutes, &TrainOptions::learning_rate, &TrainOptions::final_learning_rate,
        &TrainOptions::gradient_clip, &TrainOptions::ema_decay}) {
    refused(member, NAN);
    refused(member, -1);
  }
  for (int64_t TrainOptions::*member :
       {&TrainOptions::steps, &TrainOptions::batch, &TrainOptions::log_every, &TrainOptions::held_out_every,
        &TrainOptions::held_out_rows, &TrainOptions::checkpoint_every}) {
    SmallRun recipe;
    recipe.options.*member = 0;
    expect_error([&] { make_trainer(recipe); }, ErrorKind::argument, "train: expected");
  }
}

}  // namespace
}  // namespace fokker
