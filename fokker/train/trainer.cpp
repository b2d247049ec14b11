#include "fokker/train/trainer.h"

#include <chrono>
#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/runtime.h"
#include "fokker/core/stop.h"
#include "fokker/kernel/vector/adamw.h"
#include "fokker/train/defaults.h"

namespace fokker {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<Network> given(std::unique_ptr<Network> network) {
  check(network != nullptr, "Trainer: expected a network but received none");
  return network;
}

constexpr int64_t batches_ahead = 4;

/// Threads that make batches where the options name none: images have to be decoded, or are large.
int64_t usual_workers(const Dataset& data) {
  constexpr int most = 4;
  return data.is_images() ? std::min(most, available_cores()) : 1;
}

}  // namespace

Json to_json(const TrainMetrics& m) {
  Json json = {{"step", m.step}, {"loss", m.loss}};
  if (m.held_out_loss) json["held_out_loss"] = *m.held_out_loss;
  json["learning_rate"] = m.learning_rate;
  json["gradient_norm"] = m.gradient_norm;
  json["seconds"] = m.seconds;
  json["rows_per_second"] = m.rows_per_second;
  if (m.spikes > 0) json["spikes"] = m.spikes;
  if (m.skipped > 0) json["skipped"] = m.skipped;
  if (m.rewinds > 0) json["rewinds"] = m.rewinds;
  return json;
}

/// The clock, and what of the next line of metrics is this process's own: its speed.
struct Trainer::Line {
  Clock::time_point start;
  double before = 0;  ///< seconds of earlier runs
  double since = 0;   ///< when the last line was written, in seconds
  int64_t count = 0;  ///< steps since then

  double now() const { return before + seconds_since(start); }
  void restart() {
    count = 0;
    since = now();
  }
};

Trainer::Trainer(std::unique_ptr<Network> network, DenoiserSpec spec,
                 std::shared_ptr<const Objective> objective, Split data, Normalisation normalisation,
                 TrainOptions options, Rng rng, std::shared_ptr<const TableMap> table,
                 ConditionMap condition) try
    : network_(given(std::move(network))),
      average_(network_->clone()),
      denoiser_(make_denoiser(network_, spec, condition.regression)),
      averaged_(make_denoiser(average_, spec, condition.regression)),
      spec_(std::move(spec)),
      objective_(std::move(objective)),
      data_(std::move(data)),
      normalisation_(std::move(normalisation)),
      table_(std::move(table)),
      condition_(std::move(condition)),
      options_(std::move(options)),
      rng_(rng.stream("train")) {
  check_options(options_);
  if (!spec_.is_energy()) check_prediction(spec_.prediction, spec_.process);
  check(data_.training.size() > 0, "train: expected at least one row of data");
  step_rows_ = std::make_shared<const StepRows>(rng_.stream("order"), data_.training.size(), options_.batch);
  check(!watches_held_out() || data_.held_out.size() > 0,
        "train: keeping the best weights, and patience, go by the held-out loss: expected held-out rows");
  network_->set_requires_grad(true);
  average_->set_requires_grad(false);
  parameters_ = std::make_unique<FlatParameters>(*network_);
  averages_ = std::make_unique<FlatParameters>(*average_);
  first_moment_ = at::zeros_like(parameters_->values());
  second_moment_ = at::zeros_like(parameters_->values());
} catch (...) {
  detail::throw_as_error();
}

Batch Trainer::gather(const Dataset& data, const Tensor& rows, DrawPosition position) const {
  const auto options = parameters_->values().options();
  const Tensor values = data.rows(rows);
  Batch batch{.x0 = {},
              .label = {},
              .step = position.step,
              .first = position.first_sample,
              .labels_kept = !network_->knows_no_label()};
  if (table_) {
    const Rng cells = rng_.stream("cells");
    TableRows encoded = table_->encode(values, &cells, position, Within::share);
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

/// This rank's part of a step's rows.
Batch Trainer::batch_of(int64_t step) const {
  const Share share = options_.ranks.share(options_.batch);
  Batch batch = gather(data_.training, step_rows_->of_step(step).narrow(0, share.first, share.count),
                       {.first_sample = share.first, .step = static_cast<uint64_t>(step)});
  batch.whole = options_.batch;
  return batch;
}

Batch Trainer::next_batch() {
  return prefetch_ ? prefetch_->batch(step_) : batch_of(step_);
}

/// Of rows that stay on disk, from the next step on.
std::unique_ptr<Prefetch> Trainer::prefetch() const {
  if (!data_.training.stored) return nullptr;
  const int64_t workers = options_.workers > 0 ? options_.workers : usual_workers(data_.training);
  return std::make_unique<Prefetch>([this](int64_t step) { return batch_of(step); }, step_, workers,
                                    workers + batches_ahead);
}

/// The batch's loss, or this rank's part of that sum.
Tensor Trainer::mean_loss(const Batch& batch) const {
  const Tensor losses = objective_->loss(*denoiser_, batch, rng_);
  return options_.ranks.alone() ? losses.mean() : losses.sum() / static_cast<double>(options_.batch);
}

double Trainer::fraction_done(double seconds) const {
  if (options_.minutes > 0) return std::min(1.0, seconds / (60 * options_.minutes));
  return static_cast<double>(step_) / static_cast<double>(options_.steps);
}

double Trainer::learning_rate(double fraction) const {
  const double warm = std::min(
      1.0, static_cast<double>(step_ + 1) / static_cast<double>(std::max<int64_t>(1, options_.warm_up)));
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * fraction));
  return options_.learning_rate * incidents_.rate_factor * warm *
         std::lerp(options_.final_learning_rate, 1.0, cosine);
}

/// The loss; nothing where it or its gradient was not finite, and the options say what to do then.
std::optional<double> Trainer::train_step(double learning_rate, const TrainHooks& hooks, const Line& line) {
  // Votes ask for the request; the step itself does not heed it where there are others, to whom a rank that
  // left it alone would be lost.
  const Votes own = options_.ranks.alone() ? Votes() : votes(hooks, line);
  const StopScope scope(!options_.ranks.alone() ? nullptr
                        : hooks.abandon         ? hooks.abandon
                                                : current_stop_request());
  const Tensor loss = mean_loss(next_batch());
  double value = loss.item<double>();
  const Tensor gradient = options_.ranks.alone()
                              ? parameters_->gradient(loss)
                              : exchange_.gradient(options_.ranks, *parameters_, loss, value, agreed_ = own);
  gradient_norm_ = gradient.norm().item<double>();
  if (!std::isfinite(value) || !std::isfinite(gradient_norm_)) {
    leave_out(fmt::format("the loss at step {} is {} (gradient norm {})", step_ + 1, value, gradient_norm_));
    return {};
  }
  ++step_;
  const bool clip = options_.gradient_clip > 0 && gradient_norm_ > options_.gradient_clip;
  const int64_t updates = step_ - incidents_.skipped;
  const auto warm = static_cast<double>(updates);
  kernel::adamw_step({parameters_->values(), gradient, first_moment_, second_moment_, averages_->values()},
                     {.learning_rate = learning_rate,
                      .weight_decay = options_.weight_decay,
                      .gradient_scale = clip ? options_.gradient_clip / gradient_norm_ : 1.0,
                      .ema_decay = std::min(options_.ema_decay, (1 + warm) / (10 + warm)),
                      .step = updates});
  return value;
}

void Trainer::note_loss(Line& line, double loss) {
  untold_.loss_sum += loss;
  ++untold_.count;
  ++line.count;
  const double mean = watch_.mean(), deviation = watch_.deviation();
  if (!watch_.stands_out(loss)) return;
  if (++incidents_.spikes == untold_.before.spikes + 1)  // one warning a line is enough
    warn(fmt::format("the loss at step {} is {:.4g}, far above those before it ({:.4g} +- {:.2g})", step_,
                     loss, mean, deviation));
}

/// Measures and tells what is due after a step.
void Trainer::tell(const TrainHooks& hooks, Line& line, double rate) {
  const bool measure = data_.held_out.size() > 0 && step_ % options_.held_out_every == 0;
  const bool last = options_.minutes <= 0 && step_ == options_.steps;
  if (!measure && !last && step_ % options_.log_every != 0) return;
  const bool told = hooks.on_metrics && options_.ranks.root();
  if (!told && !(measure && (watches_held_out() || !options_.ranks.alone()))) return;
  seconds_ = line.now();
  TrainMetrics metrics{
      .step = step_,
      .loss = untold_.loss_sum / static_cast<double>(untold_.count),
      .held_out_loss = {},
      .learning_rate = rate,
      .gradient_norm = gradient_norm_,
      .seconds = seconds_,
      .rows_per_second = static_cast<double>(line.count * options_.batch) / (seconds_ - line.since),
      .spikes = incidents_.spikes - untold_.before.spikes,
      .skipped = incidents_.skipped - untold_.before.skipped,
      .rewinds = incidents_.rewinds};
  if (measure) metrics.held_out_loss = measure_held_out();
  if (told) hooks.on_metrics(metrics);
  untold_ = {.before = incidents_};
  line.restart();
}

TrainOutcome Trainer::run_steps(const TrainHooks& hooks) {
  const int64_t first_step = step_;
  Line line{.start = Clock::now(), .before = seconds_, .since = seconds_};
  const Ranks& ranks = options_.ranks;
  share_state();
  prefetch_ = prefetch();
  if (!ranks.alone()) agreed_ = StepExchange::agree(ranks, votes(hooks, line));
  remember();
  while (true) {
    if (ranks.alone()) agreed_ = votes(hooks, line);
    if (agreed_.end) fail(ErrorKind::stopped, "stopped on request");
    seconds_ = agreed_.seconds;
    const double fraction = fraction_done(seconds_);
    const bool stopped = agreed_.stop, early = out_of_patience();
    const bool done = fraction >= 1 || stopped || early, moved = step_ > first_step;
    const int64_t before = step_;
    if (done || (moved && step_ % options_.checkpoint_every == 0)) {
      const bool settled = settle(hooks, moved, fraction >= 1);
      if (settled && done)
        return fraction >= 1 ? TrainOutcome::completed : early ? TrainOutcome::early : TrainOutcome::stopped;
    }
    const double rate = learning_rate(fraction);
    const std::optional<double> loss =
        step_ < before ? std::nullopt : train_step_or_abandon(rate, hooks, line);
    if (loss) {
      note_loss(line, *loss);
      if (ranks.root() && hooks.on_step) hooks.on_step(step_, fraction, *loss);
      tell(hooks, line, rate);
    } else if (step_ <= before && !abandoned(hooks)) {
      untold_ = {.before = incidents_};
      line.restart();
      if (ranks.root() && hooks.on_rewind) hooks.on_rewind(step_);
    }
  }
}

Votes Trainer::votes(const TrainHooks& hooks, const Line& line) const {
  const bool stop = (hooks.should_stop && hooks.should_stop()) || (hooks.abandon && hooks.abandon->made());
  return {.seconds = line.now(), .stop = stop, .end = stop_requested()};
}

std::string Trainer::progress() const {
  if (options_.minutes > 0)
    return fmt::format("{} steps, in {:.1f} of {:g} minutes", step_, seconds_ / 60, options_.minutes);
  return fmt::format("{} of {} steps", step_, options_.steps);
}

TrainOutcome Trainer::run(const TrainHooks& hooks) try {
  // A run that throws must not leave threads that read what may go before it.
  struct End {
    Trainer& trainer;
    ~End() {
      if (trainer.prefetch_) trainer.waits_ = trainer.prefetch_->waits();
      trainer.prefetch_.reset();
    }
  } const end{*this};
  return run_steps(hooks);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::stopped) throw;
  fail(ErrorKind::stopped, "{}: training had made {}", error.what(), progress());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
