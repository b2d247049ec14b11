// One step of training in closed form: a network whose gradient is known at every step.
#include <gtest/gtest.h>

#include <numbers>

#include "fokker/format/safetensors.h"
#include "fokker/nn/mlp/mlp.h"
#include "fokker/train/trainer.h"
#include "train/small_trainer.h"

namespace fokker {
namespace {

const MlpOptions small_mlp{.dimension = 2, .width = 4, .depth = 1};

/// An Mlp's parameters w in another function: slope . w, whatever it is asked, so that its gradient is the
/// slope.
class Linear final : public Network {
 public:
  explicit Linear(Tensor slope) : mlp_(small_mlp, 1), slope_(std::move(slope)) {
    for (const auto& p : mlp_.parameters()) add_parameter(p.name, p.tensor);
  }
  Tensor forward(const Tensor& x, const Tensor&, const Tensor&) const override {
    std::vector<Tensor> flat;
    for (const auto& p : parameters()) flat.push_back(p.tensor.flatten());
    return at::dot(at::cat(flat), slope_).expand_as(x);
  }
  std::unique_ptr<Network> clone() const override {
    auto copy = std::make_unique<Linear>(slope_);
    copy->copy_parameters(*this);
    return copy;
  }
  Json config() const override { return mlp_.config(); }
  std::vector<int64_t> event_shape() const override { return mlp_.event_shape(); }

 private:
  Mlp mlp_;
  Tensor slope_;
};

/// What the network says.
class Value final : public Objective {
 public:
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    return denoiser.estimate(batch.x0, 0.5).value().mean(1);
  }
};

/// What a trainer keeps after a step, flat and in float64.
struct Kept {
  Tensor value, average, first_moment, second_moment;
  TrainMetrics metrics;
};

Kept kept_by(const Trainer& trainer, const TrainMetrics& metrics) {
  const TestFolder folder{place_in_memory()};
  trainer.save_state(folder);
  const auto read = [&](const char* file) {
    std::vector<Tensor> flat;
    const auto stored = load_safetensors(folder / file).tensors;
    for (const auto& [name, like] : trainer.averaged_network().parameters())
      for (const auto& tensor : stored)
        if (tensor.name == name) flat.push_back(tensor.tensor.flatten().to(at::kDouble));
    return at::cat(flat);
  };
  return {read("network.safetensors"), read("average.safetensors"), read("first_moment.safetensors"),
          read("second_moment.safetensors"), metrics};
}

Trainer make_linear_trainer(const Tensor& slope, TrainOptions options,
                            std::shared_ptr<const Objective> objective = std::make_shared<Value>()) {
  options.batch = 4;
  const Dataset data{.values = Rng(1).normal({6, 2}, {}, at::kDouble),
                     .columns = {"a", "b"},
                     .labels = {},
                     .label_names = {},
                     .source = "test"};
  return Trainer(std::make_unique<Linear>(slope), {.process = VariancePreserving{}}, std::move(objective),
                 {data, {}}, Normalisation::fit(data.values, NormalisationKind::standardise), options,
                 Rng(1));
}

/// A run whose gradient is `slope`: what was there before it, and after each step, or each `log_every`.
std::vector<Kept> follow(const Tensor& slope, TrainOptions options, int64_t log_every = 1) {
  options.log_every = log_every;
  Trainer trainer = make_linear_trainer(slope, options);
  std::vector<Kept> kept = {kept_by(trainer, {})};
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& metrics) { kept.push_back(kept_by(trainer, metrics)); };
  trainer.run(hooks);
  return kept;
}

/// Of norm 13, for every parameter of the network, none of them near 0.
Tensor slope_of_norm_13() {
  const Tensor draws = Rng(5).normal({Mlp(small_mlp, 1).parameter_count()}, {}, at::kDouble);
  const Tensor away = draws + draws.sign();
  return (away * (13 / away.norm())).to(at::kFloat);
}

// Kingma and Ba (2015): with one gradient g at every step, m_n = (1 - 0.9^n) g and v_n = (1 - 0.999^n) g^2,
// where g is the slope, made shorter to the bound where it is longer.
TEST(Update, ClipsTheGradientToItsBound) {
  const Tensor slope = slope_of_norm_13();
  for (const double bound : {0.0, 0.5, 12.9, 13.1}) {
    const double length = bound > 0 ? std::min(bound, 13.0) : 13.0;
    const Tensor gradient = slope.to(at::kDouble) * (length / 13);
    const std::vector<Kept> kept = follow(slope, {.steps = 4, .gradient_clip = bound});
    ASSERT_EQ(kept.size(), 5u);
    for (int n = 1; n <= 4; ++n) {
      const Kept& now = kept[static_cast<size_t>(n)];
      EXPECT_LT(relative_difference(now.first_moment, gradient * (1 - std::pow(0.9, n))), 1e-5) << bound;
      EXPECT_LT(relative_difference(now.second_moment, gradient.square() * (1 - std::pow(0.999, n))), 1e-4)
          << bound;
      EXPECT_NEAR(now.metrics.gradient_norm, 13, 1e-4) << "the norm before clipping is what is told";
    }
  }
}

// With one gradient at every step Adam's m / sqrt(v), corrected, is its sign: w_n = (1 - r_n d) w_{n-1} - r_n
// sign(g), with the learning rate r_n and the weight decay d.
TEST(Update, StepsByTheLearningRate) {
  const Tensor slope = slope_of_norm_13();
  const double decay = 0.3, peak = 0.05, last = 0.2;
  const std::vector<Kept> kept = follow(
      slope,
      {.steps = 20, .learning_rate = peak, .warm_up = 5, .final_learning_rate = last, .weight_decay = decay});
  ASSERT_EQ(kept.size(), 21u);
  Tensor value = kept[0].value;
  for (int n = 0; n < 20; ++n) {
    const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * n / 20.0));
    const double rate = peak * std::min(1.0, (n + 1) / 5.0) * (last + (1 - last) * cosine);
    value = (1 - rate * decay) * value - rate * slope.sign();
    const Kept& now = kept[static_cast<size_t>(n + 1)];
    EXPECT_NEAR(now.metrics.learning_rate, rate, 1e-12) << n;
    EXPECT_LT(worst(now.value, value), 1e-5) << n;
  }
}

/// The same, but for one batch.
class ValueButOnce final : public Objective {
 public:
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng&) const override {
    const Tensor value = denoiser.estimate(batch.x0, 0.5).value().mean(1);
    return batch.step == 4 ? value + INFINITY : value;
  }
};

// Adam's moments are corrected by the updates that were made: counted by steps, the one after a batch that
// was left out would be 4 % too short.
TEST(Update, ABatchThatIsLeftOutIsNoUpdate) {
  const Tensor slope = slope_of_norm_13();
  Trainer trainer = make_linear_trainer(
      slope,
      {.steps = 8, .learning_rate = 0.05, .warm_up = 1, .log_every = 1, .on_divergence = OnDivergence::skip},
      std::make_shared<ValueButOnce>());
  Tensor value = kept_by(trainer, {}).value;
  int64_t updates = 0;
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& metrics) {
    value = value - metrics.learning_rate * slope.sign();
    EXPECT_LT(worst(kept_by(trainer, {}).value, value), 1e-5) << "after step " << metrics.step;
    ++updates;
  };
  trainer.run(hooks);
  EXPECT_EQ(updates, 7);
}

// a_n = d_n a_{n-1} + (1 - d_n) w_n, where d_n = (1 + n) / (10 + n) until it reaches the decay that was asked
// for: here at n = 8, where both are 1/2.
TEST(Update, AveragesWithAWarmUp) {
  const std::vector<Kept> kept =
      follow(slope_of_norm_13(), {.steps = 16, .learning_rate = 0.1, .warm_up = 1, .ema_decay = 0.5});
  ASSERT_EQ(kept.size(), 17u);
  EXPECT_EQ(worst(kept[0].average, kept[0].value), 0) << "the average starts where the weights do";
  Tensor average = kept[0].average;
  for (int n = 1; n <= 16; ++n) {
    const Kept& now = kept[static_cast<size_t>(n)];
    const double d = n < 8 ? (1.0 + n) / (10.0 + n) : 0.5;
    average = d * average + (1 - d) * now.value;
    EXPECT_LT(worst(now.average, average), 1e-6) << n;
    EXPECT_GT(worst(now.average, now.value), 1e-4) << "a wrong decay would show";
  }
}

// A line tells the mean loss of the steps since the line before, each of the weights that the step began
// with.
TEST(Update, TellsTheMeanLossSinceTheLastLine) {
  const Tensor slope = slope_of_norm_13();
  const TrainOptions options{.steps = 6, .learning_rate = 0.01, .warm_up = 1};
  const auto loss = [&](const Kept& k) { return at::dot(k.value, slope.to(at::kDouble)).item<double>(); };
  const std::vector<Kept> each = follow(slope, options);
  ASSERT_EQ(each.size(), 7u);
  for (size_t n = 1; n < each.size(); ++n) EXPECT_NEAR(each[n].metrics.loss, loss(each[n - 1]), 1e-4);
  const std::vector<Kept> thirds = follow(slope, options, 3);
  ASSERT_EQ(thirds.size(), 3u);
  for (size_t i : {0, 3})
    EXPECT_NEAR(thirds[1 + i / 3].metrics.loss, (loss(each[i]) + loss(each[i + 1]) + loss(each[i + 2])) / 3,
                1e-4);
}

// Where a multiple of the interval is reached, and at the end.
TEST(Update, AsksForCheckpointsWhenTheyAreDue) {
  Trainer trainer = make_linear_trainer(slope_of_norm_13(), {.steps = 10, .checkpoint_every = 4});
  std::vector<int64_t> at;
  TrainHooks hooks;
  hooks.on_checkpoint = [&](const Trainer& now) { at.push_back(now.step()); };
  EXPECT_EQ(trainer.run(hooks), TrainOutcome::completed);
  EXPECT_EQ(at, (std::vector<int64_t>{4, 8, 10}));
}

// Time is counted from the start of the run and never falls.
TEST(Update, TellsTheSecondsSoFar) {
  Trainer trainer = make_linear_trainer(slope_of_norm_13(), {.steps = 5, .log_every = 1});
  std::vector<double> seconds = {0};
  TrainHooks hooks;
  hooks.on_metrics = [&](const TrainMetrics& metrics) {
    seconds.push_back(metrics.seconds);
    EXPECT_GT(metrics.rows_per_second, 0);
  };
  trainer.run(hooks);
  EXPECT_EQ(seconds.size(), 6u);
  EXPECT_TRUE(std::is_sorted(seconds.begin(), seconds.end()));
  EXPECT_GT(seconds.back(), 0);
  EXPECT_GE(trainer.seconds(), seconds.back());
}

}  // namespace
}  // namespace fokker
