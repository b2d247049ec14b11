// The held-out loss: one number, or by the time.
#include <algorithm>

#include "fokker/core/boundary.h"
#include "fokker/train/trainer.h"

namespace fokker {
namespace {

/// A denoiser that notes which times it is asked for.
class TimeRecorder final : public Denoiser {
 public:
  explicit TimeRecorder(const Denoiser& inner) : inner_(inner) {}
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label) const override {
    times_ = t.tensor(x.size(0));
    return inner_.estimate(x, t, label);
  }
  const GaussianProcess& process() const override { return inner_.process(); }
  /// Of the last call, (n) float64.
  const Tensor& times() const { return times_; }

 private:
  const Denoiser& inner_;
  mutable Tensor times_;
};

constexpr int64_t time_bins = 30;

}  // namespace

int64_t Trainer::held_out_parts() const {
  const int64_t rows = std::min(data_.held_out.size(), options_.held_out_rows);
  return (rows + options_.batch - 1) / options_.batch;
}

Batch Trainer::held_out_batch(int64_t part) const {
  const int64_t rows = std::min(data_.held_out.size(), options_.held_out_rows);
  const int64_t first = part * options_.batch, last = std::min(first + options_.batch, rows);
  return gather(data_.held_out, at::arange(first, last, at::kLong), {.step = static_cast<uint64_t>(part)});
}

double Trainer::held_out_loss() const try {
  const GradientMode no_gradients(false);
  const Rng rng = rng_.stream("held out");
  double total = 0, rows = 0;
  const Ranks& ranks = options_.ranks;
  for (int64_t part = ranks.rank(); part < held_out_parts(); part += ranks.size()) {
    const Tensor losses = objective_->loss(*averaged_, held_out_batch(part), rng);
    total += losses.sum().item<double>();
    rows += static_cast<double>(losses.size(0));
  }
  return ranks.sum(total) / ranks.sum(rows);
} catch (...) {
  detail::throw_as_error();
}

LossOverTime Trainer::held_out_loss_over_time() const try {
  const GradientMode no_gradients(false);
  const Rng rng = rng_.stream("held out");
  const TimeRecorder recorder(*averaged_);
  const Tensor sums = at::zeros({time_bins}, at::kDouble), counts = at::zeros({time_bins}, at::kDouble);
  for (int64_t part = 0; part < held_out_parts(); ++part) {
    const Batch batch = held_out_batch(part);
    Tensor times = objective_->times(spec_.process, batch, rng);
    const Denoiser& asked = times.defined() ? *averaged_ : static_cast<const Denoiser&>(recorder);
    const Tensor losses = objective_->loss(asked, batch, rng).to(at::kCPU, at::kDouble);
    if (!times.defined()) times = recorder.times();
    if (!times.defined() || times.size(0) != losses.size(0)) return {};
    const Tensor bins = (times.to(at::kCPU) * time_bins).to(at::kLong).clamp(0, time_bins - 1);
    sums.index_add_(0, bins, losses);
    counts.index_add_(0, bins, at::ones_like(losses));
  }
  LossOverTime over;
  over.edges.reserve(time_bins + 1);
  const Tensor means = sums / counts.clamp_min(1);
  for (int64_t i = 0; i <= time_bins; ++i)
    over.edges.push_back(static_cast<double>(i) / static_cast<double>(time_bins));
  over.losses.assign(means.data_ptr<double>(), means.data_ptr<double>() + time_bins);
  return over;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
