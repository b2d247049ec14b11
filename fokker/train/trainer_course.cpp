// What a training does when it does not go well, and what it keeps in case.
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/train/trainer.h"

namespace fokker {
namespace {

bool all_finite(const Tensor& values) {
  return values.isfinite().all().item<bool>();
}

}  // namespace

/// What `rewind` goes back to: the state of the last checkpoint, in memory.
struct Trainer::RestorePoint {
  std::vector<Tensor> tensors;
  int64_t step = 0;
  LossWatch watch;
  std::optional<BestHeldOut> best;
  Tensor best_weights;
};

void Trainer::remember() {
  if (options_.on_divergence != OnDivergence::rewind) return;
  RestorePoint point{
      .tensors = {}, .step = step_, .watch = watch_, .best = best_, .best_weights = best_weights_};
  if (best_weights_.defined()) point.best_weights = best_weights_.clone();
  const auto now = kept_tensors();
  point.tensors.reserve(now.size());
  for (const auto& [name, kept] : now) point.tensors.push_back(kept.detach().clone());
  restore_point_ = std::make_shared<const RestorePoint>(std::move(point));
}

void Trainer::rewind(const std::string& reason) {
  if (incidents_.rewinds >= options_.most_rewinds)
    fail(
        ErrorKind::diverged,
        "training diverged: {}, after going back {} times to a learning rate of {:g} times the one asked for",
        reason, incidents_.rewinds, incidents_.rate_factor);
  const GradientMode no_gradients(false);
  size_t i = 0;
  for (const auto& [name, kept] : kept_tensors()) kept.copy_(restore_point_->tensors[i++]);
  step_ = restore_point_->step;
  watch_ = restore_point_->watch;
  best_ = restore_point_->best;
  best_weights_ = restore_point_->best_weights.defined() ? restore_point_->best_weights.clone() : Tensor();
  ++incidents_.rewinds;
  incidents_.rate_factor /= 2;
  warn(fmt::format("{}; going back to step {}, and on at {:g} times the learning rate", reason, step_,
                   incidents_.rate_factor));
}

/// A batch whose loss or gradient is not finite.
void Trainer::leave_out(const std::string& reason) {
  if (options_.on_divergence == OnDivergence::rewind) return rewind(reason);
  if (options_.on_divergence == OnDivergence::stop)
    fail(ErrorKind::diverged, "training diverged: {}; lower the learning rate", reason);
  if (incidents_.skipped >= options_.most_skips)
    fail(ErrorKind::diverged,
         "training diverged: {}, after {} batches had been left out; lower the learning rate", reason,
         incidents_.skipped);
  ++incidents_.skipped;
  ++step_;
  warn(fmt::format("{}; the batch is left out ({} so far)", reason, incidents_.skipped));
}

bool Trainer::weights_are_finite() const {
  return all_finite(parameters_->values()) && all_finite(averages_->values());
}

/// The loss notices weights of a step only in the next, and the last has none.
double Trainer::next_loss() {
  return options_.ranks.sum(mean_loss(next_batch()).item<double>());
}

/// Hands over a state that is fit to be kept; false where it was not, and training went back.
bool Trainer::settle(const TrainHooks& hooks, bool moved, bool completed) {
  // The loss of one more batch is not waited for where a step was not.
  const double loss = moved && !abandoned(hooks) ? next_loss() : 0;
  const bool finite = !moved || weights_are_finite();
  // A batch that is left out says nothing of the weights.
  const bool loss_matters = options_.on_divergence != OnDivergence::skip;
  if (!finite || (loss_matters && !std::isfinite(loss))) {
    const std::string reason =
        fmt::format("after step {} the loss is {}, or a weight is not finite", step_, loss);
    if (options_.on_divergence != OnDivergence::rewind)
      fail(ErrorKind::diverged, "training diverged: {}; lower the learning rate", reason);
    rewind(reason);
    return false;
  }
  if (completed && moved && options_.keep_best && step_ % options_.held_out_every != 0) measure_held_out();
  options_.ranks.on_root([&] {
    if (hooks.on_checkpoint) hooks.on_checkpoint(*this);
  });
  saved_step_ = step_;
  remember();
  return true;
}

/// The loss of a step; nothing too where it was left unfinished.
std::optional<double> Trainer::train_step_or_abandon(double learning_rate, const TrainHooks& hooks,
                                                     const Line& line) try {
  return train_step(learning_rate, hooks, line);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::stopped || !abandoned(hooks)) throw;
  return {};
}

bool Trainer::abandoned(const TrainHooks& hooks) const {
  return options_.ranks.alone() && hooks.abandon && hooks.abandon->made();
}

bool Trainer::out_of_patience() const {
  return options_.patience > 0 && best_ && best_->evaluations_since >= options_.patience;
}

double Trainer::measure_held_out() {
  const double loss = held_out_loss();
  if (!watches_held_out()) return loss;
  if (std::isfinite(loss) && (!best_ || loss < best_->loss)) {
    best_ = BestHeldOut{.loss = loss, .step = step_};
    if (options_.keep_best) best_weights_ = averages_->values().detach().clone();
  } else if (best_) {
    ++best_->evaluations_since;
  }
  return loss;
}

std::unique_ptr<Network> Trainer::best_network() const {
  if (!best_weights_.defined()) return nullptr;
  std::unique_ptr<Network> network = average_->clone();
  const GradientMode no_gradients(false);
  const auto weights = named_views(*network, best_weights_);
  for (size_t i = 0; i < weights.size(); ++i) network->parameters()[i].tensor.copy_(weights[i].tensor);
  return network;
}

}  // namespace fokker
