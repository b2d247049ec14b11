#include "fokker/train/trainer.h"

#include <chrono>
#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/kernel/vector/adamw.h"
#include "fokker/train/defaults.h"

namespace fokker {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Json to_json(const TrainMetrics& m) {
  Json json = {{"step", m.step}, {"loss", m.loss}};
  if (m.held_out_loss) json["held_out_loss"] = *m.held_out_loss;
  json["learning_rate"] = m.learning_rate;
  json["gradient_norm"] = m.gradient_norm;
  json["seconds"] = m.seconds;
  json["rows_per_second"] = m.rows_per_second;
  return json;
}

Trainer::Trainer(std::unique_ptr<Network> network, DenoiserSpec spec,
                 std::shared_ptr<const Objective> objective, Split data, Normalisation normalisation,
                 TrainOptions options, Rng rng, std::shared_ptr<const TableMap> table,
                 ConditionMap condition) try
    : network_(std::move(network)),
      average_(network_->clone()),
      denoiser_(make_denoiser(network_, spec)),
      averaged_(make_denoiser(average_, spec)),
      spec_(std::move(spec)),
      objective_(std::move(objective)),
      data_(std::move(data)),
      normalisation_(std::move(normalisation)),
      table_(std::move(table)),
      condition_(std::move(condition)),
      options_(options),
      rng_(rng.stream("train")) {
  check_options(options);
  if (!spec_.is_energy()) check_prediction(spec_.prediction, spec_.process);
  check(data_.training.size() > 0, "train: expected at least one row of data");
  network_->set_requires_grad(true);
  average_->set_requires_grad(false);
  parameters_ = std::make_unique<FlatParameters>(*network_);
  averages_ = std::make_unique<FlatParameters>(*average_);
  first_moment_ = at::zeros_like(parameters_->values());
  second_moment_ = at::zeros_like(parameters_->values());
} catch (...) {
  detail::throw_as_error();
}

Batch Trainer::gather(const Dataset& data, const Tensor& rows, uint64_t step) const {
  const auto options = parameters_->values().options();
  const Tensor values = data.values.index_select(0, rows);
  Batch batch{.x0 = {}, .label = {}, .step = step};
  if (table_) {
    const Rng cells = rng_.stream("cells");
    TableRows encoded = table_->encode(values, &cells, step);
    batch.x0 = encoded.x.to(options);
    batch.levels = encoded.levels;
  } else {
    batch.x0 = normalisation_.apply(values).to(options);
  }
  if (data.labels.defined()) batch.label = data.labels.index_select(0, rows).to(options.device());
  if (data.conditions.defined())
    batch.label = condition_.to_model(data.conditions.index_select(0, rows), at::kFloat).to(options);
  return batch;
}

/// Rows in a fresh random order every epoch, so that each is seen equally often; batches may straddle epochs.
Tensor Trainer::next_rows() {
  const int64_t n = data_.training.size();
  std::vector<Tensor> parts;
  int64_t position = step_ * options_.batch;
  for (int64_t left = options_.batch; left > 0;) {
    if (position / n != epoch_) {
      epoch_ = position / n;
      order_ = rng_.stream("order").stream(static_cast<uint64_t>(epoch_)).permutation(n);
    }
    const int64_t count = std::min(left, n - position % n);
    parts.push_back(order_.narrow(0, position % n, count));
    position += count;
    left -= count;
  }
  return at::cat(parts);
}

double Trainer::fraction_done(double seconds) const {
  if (options_.minutes > 0) return std::min(1.0, seconds / (60 * options_.minutes));
  return static_cast<double>(step_) / static_cast<double>(options_.steps);
}

double Trainer::learning_rate(double fraction) const {
  const double warm = std::min(
      1.0, static_cast<double>(step_ + 1) / static_cast<double>(std::max<int64_t>(1, options_.warm_up)));
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * fraction));
  return options_.learning_rate * warm * std::lerp(options_.final_learning_rate, 1.0, cosine);
}

double Trainer::train_step(double learning_rate) {
  const auto step = static_cast<uint64_t>(step_);
  const Batch batch = gather(data_.training, next_rows(), step);
  const Tensor loss = objective_->loss(*denoiser_, batch, rng_).mean();
  const Tensor gradient = parameters_->gradient(loss);
  const double value = loss.item<double>();
  gradient_norm_ = gradient.norm().item<double>();
  if (!std::isfinite(value) || !std::isfinite(gradient_norm_))
    fail(ErrorKind::diverged,
         "training diverged: the loss at step {} is {} (gradient norm {}); lower the learning rate",
         step_ + 1, value, gradient_norm_);
  ++step_;
  const bool clip = options_.gradient_clip > 0 && gradient_norm_ > options_.gradient_clip;
  const auto warm = static_cast<double>(step_);
  kernel::adamw_step({parameters_->values(), gradient, first_moment_, second_moment_, averages_->values()},
                     {.learning_rate = learning_rate,
                      .weight_decay = options_.weight_decay,
                      .gradient_scale = clip ? options_.gradient_clip / gradient_norm_ : 1.0,
                      .ema_decay = std::min(options_.ema_decay, (1 + warm) / (10 + warm)),
                      .step = step_});
  return value;
}

double Trainer::held_out_loss() const try {
  const GradientMode no_gradients(false);
  const int64_t rows = std::min(data_.held_out.size(), options_.held_out_rows);
  const int64_t chunk = std::min(rows, std::max<int64_t>(options_.batch, 1));
  const Rng rng = rng_.stream("held out");
  double total = 0;
  for (int64_t first = 0, part = 0; first < rows; first += chunk, ++part) {
    const int64_t count = std::min(chunk, rows - first);
    const Batch batch =
        gather(data_.held_out, at::arange(first, first + count, at::kLong), static_cast<uint64_t>(part));
    total += objective_->loss(*averaged_, batch, rng).sum().item<double>();
  }
  return total / static_cast<double>(rows);
} catch (...) {
  detail::throw_as_error();
}

/// The loss notices weights of a step only in the next, and the last has none.
void Trainer::check_finite() {
  const Batch batch = gather(data_.training, next_rows(), static_cast<uint32_t>(step_));
  const double loss = objective_->loss(*denoiser_, batch, rng_).mean().item<double>();
  const auto finite = [](const Tensor& values) { return values.isfinite().all().item<bool>(); };
  if (!std::isfinite(loss) || !finite(parameters_->values()) || !finite(averages_->values()))
    fail(
        ErrorKind::diverged,
        "training diverged: after step {} the loss is {}, or a weight is not finite; lower the learning rate",
        step_, loss);
}

TrainOutcome Trainer::run_steps(const TrainHooks& hooks) {
  const auto start = Clock::now();
  const double before = seconds_;
  const int64_t first_step = step_;
  double loss_sum = 0, logged_at = seconds_;
  int64_t loss_count = 0;
  while (true) {
    check_stop();
    seconds_ = before + seconds_since(start);
    const double fraction = fraction_done(seconds_);
    const bool stopped = hooks.should_stop && hooks.should_stop();
    const bool done = fraction >= 1 || stopped;
    const bool moved = step_ > first_step;
    if (done || (moved && step_ % options_.checkpoint_every == 0)) {
      if (moved) check_finite();
      if (hooks.on_checkpoint) hooks.on_checkpoint(*this);
    }
    if (done) return stopped && fraction < 1 ? TrainOutcome::stopped : TrainOutcome::completed;
    const double rate = learning_rate(fraction);
    const double loss = train_step(rate);
    loss_sum += loss;
    ++loss_count;
    if (hooks.on_step) hooks.on_step(step_, fraction, loss);
    const bool measure = data_.held_out.size() > 0 && step_ % options_.held_out_every == 0;
    const bool last = options_.minutes <= 0 && step_ == options_.steps;
    if (!hooks.on_metrics || !(measure || last || step_ % options_.log_every == 0)) continue;
    seconds_ = before + seconds_since(start);
    TrainMetrics metrics{
        .step = step_,
        .loss = loss_sum / static_cast<double>(loss_count),
        .held_out_loss = {},
        .learning_rate = rate,
        .gradient_norm = gradient_norm_,
        .seconds = seconds_,
        .rows_per_second = static_cast<double>(loss_count * options_.batch) / (seconds_ - logged_at)};
    if (measure) metrics.held_out_loss = held_out_loss();
    hooks.on_metrics(metrics);
    loss_sum = 0;
    loss_count = 0;
    logged_at = before + seconds_since(start);
  }
}

std::string Trainer::progress() const {
  if (options_.minutes > 0)
    return fmt::format("{} steps, in {:.1f} of {:g} minutes", step_, seconds_ / 60, options_.minutes);
  return fmt::format("{} of {} steps", step_, options_.steps);
}

TrainOutcome Trainer::run(const TrainHooks& hooks) try {
  return run_steps(hooks);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::stopped) throw;
  fail(ErrorKind::stopped, "{}: training had made {}", error.what(), progress());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
