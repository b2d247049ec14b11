#include "fokker/sde/dormand_prince.h"

#include <array>
#include <optional>

#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

// Dormand and Prince (1980): stages, solution of order 5 (the last row) and its difference from that of
// order 4.
constexpr std::array<double, 7> nodes = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1};
constexpr std::array<std::array<double, 6>, 7> stages = {{
    {},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
}};
constexpr std::array<double, 7> error_weights = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                                 -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

// Each of these shrinks the step five times: 1e-14 of the first.
constexpr int64_t most_not_finite = 20;
// A row that wants so many times the steps of the median row goes on by itself.
constexpr double slow_factor = 8;
constexpr int64_t tries_between_looks = 64;

}  // namespace

Tensor scaled_errors(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                     double rtol) {
  const Tensor scale = at::maximum(before.abs(), after.abs()) * rtol + atol;
  return (error / scale).square().flatten(1).mean(1).sqrt().to(at::kDouble);
}

double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol) {
  return scaled_errors(error, before, after, atol, rtol).max().item<double>();
}

DormandPrince::DormandPrince(Options options) : options_(options) {
  check(options.rtol >= 0 && options.atol >= 0 && options.rtol + options.atol > 0,
        "dopri5: expected rtol >= 0 and atol >= 0, not both 0, but received rtol = {}, atol = {}",
        options.rtol, options.atol);
  check(options.most_steps > 0, "dopri5: expected most_steps > 0 but received {}", options.most_steps);
}

// PI control with exponents 0.7/5 and 0.4/5 (Gustafsson 1991). Out of the range of numbers, the step shrinks
// most.
double DormandPrince::factor(double trial_error) const {
  const double now = std::max(trial_error, 1e-10);
  const double factor =
      now <= 1 ? 0.9 * std::pow(now, -0.14) * std::pow(error_, 0.08) : 0.9 * std::pow(now, -0.2);
  return std::isfinite(factor) ? std::clamp(factor, 0.2, now <= 1 ? 10.0 : 1.0) : 0.2;
}

DormandPrince::Trial DormandPrince::attempt(const OdeRate& rate, const Tensor& x, double t, double step) {
  std::array<Tensor, 7> rates = {rate_};
  Trial trial;
  for (size_t i = 1; i < 7; ++i) {
    Tensor point = x.clone();
    for (size_t j = 0; j < i; ++j)
      if (stages[i][j] != 0) point.add_(rates[j], step * stages[i][j]);
    rates[i] = rate(point, t + nodes[i] * step);
    trial.x = point;
  }
  evaluations_ += 6;
  trial.rate = rates[6];
  Tensor error = rates[0] * (step * error_weights[0]);
  for (size_t j = 2; j < 7; ++j) error.add_(rates[j], step * error_weights[j]);
  trial.errors = scaled_errors(error, x, trial.x, options_.atol, options_.rtol);
  trial.error = trial.errors.max().item<double>();
  return trial;
}

// Hairer, Norsett and Wanner, II.4: a first guess from the size of x, of its rate and of the rate's change.
double DormandPrince::first_step(const OdeRate& rate, const Tensor& x, double t, double length) {
  const auto size = [&](const Tensor& value) {
    return worst_scaled_error(value, x, x, options_.atol, options_.rtol);
  };
  const double d0 = size(x), d1 = size(rate_);
  double guess = std::min(d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1, std::abs(length));
  if (!(guess > 0)) guess = 1e-6 * std::abs(length);  // a size beyond the range of numbers
  const double signed_guess = std::copysign(guess, length);
  const Tensor later = rate(at::add(x, rate_, signed_guess), t + signed_guess);
  ++evaluations_;
  const double d2 = size(later - rate_) / guess;
  const double largest = std::max(d1, d2);
  const double second = largest <= 1e-15 ? std::max(1e-6, guess * 1e-3) : std::pow(0.01 / largest, 0.2);
  const double step = std::min(100 * guess, second);
  return step > 0 ? step : guess;
}

void DormandPrince::start(const OdeRate& rate, const Tensor& x, double t, double end) {
  tries_ = 0;
  if (rate_.defined()) return;
  rate_ = rate(x, t);
  ++evaluations_;
  check_finite_rows(rate_, fmt::format("it lies too far away: its rate is not finite at t = {:.6g}", t));
  step_ = first_step(rate, x, t, end - t);
}

/// Gives up where smaller steps do not help.
void DormandPrince::refuse(const Trial& trial, double t) {
  ++rejected_;
  not_finite_ = std::isfinite(trial.error) ? 0 : not_finite_ + 1;
  if (not_finite_ > most_not_finite)
    check_finite_rows(trial.errors,
                      fmt::format("it lies too far away: its rate is not finite beside t = {:.6g}", t));
}

/// One step tried: whether it was taken.
bool DormandPrince::move(const OdeRate& rate, Tensor& x, double& t, double end) {
  check_stop();
  const bool last = step_ >= std::abs(end - t) * (1 - 1e-12);
  const double step = last ? end - t : std::copysign(step_, end - t);
  const Trial trial = attempt(rate, x, t, step);
  const auto worst = [&] { return trial.errors.argmax().item<int64_t>(); };
  if (++tries_ > options_.most_steps)
    throw RowError(ErrorKind::argument, worst(),
                   fmt::format("dopri5: no end within {} steps, at t = {}; loosen rtol and atol",
                               options_.most_steps, t));
  const Tensor demand = at::where(trial.errors.isfinite(), trial.errors.clamp_min(1e-10), 1e5).pow(0.2);
  demand_ = demand_.defined() ? demand_ + demand : demand;
  const double proposed = std::abs(step) * factor(trial.error);
  const bool taken = trial.error <= 1;
  if (taken) {
    t = last ? end : t + step;
    x = trial.x;
    rate_ = trial.rate;
    // A step cut short by the end of the interval says little about the size of the next.
    step_ = last ? std::max(step_, proposed) : proposed;
    error_ = std::max(trial.error, 1e-10);
    not_finite_ = 0;
  } else {
    step_ = proposed;
    refuse(trial, t);
  }
  if (t != end && t + std::copysign(step_, end - t) == t)
    throw RowError(ErrorKind::failed, worst(),
                   fmt::format("dopri5: the step size fell to {} at t = {}", step_, t));
  return taken;
}

Tensor DormandPrince::advance(const OdeRate& rate, Tensor x, double t, double end) {
  if (t == end) return x;
  start(rate, x, t, end);
  while (t != end) move(rate, x, t, end);
  return x;
}

/// Rows that are carried together, and those that have left them.
struct RowGroups {
  struct Group {
    DormandPrince run;
    Tensor rows, x;
    double t;
  };

  static Group whole(const RowRate& rate, const Tensor& x, double begin, double end,
                     DormandPrince::Options options) {
    Group group{DormandPrince(options), at::arange(x.size(0), at::kLong).to(x.device()), x, begin};
    group.run.start([&](const Tensor& all, double t) { return rate(all, t, group.rows); }, x, begin, end);
    return group;
  }

  /// Of a group: the rows that want far smaller steps than most of it, as a mask; undefined where none do.
  static Tensor slow_rows(const Group& group) {
    const Tensor& demand = group.run.demand_;
    const Tensor slow = demand > slow_factor * demand.median();
    return slow.any().item<bool>() ? slow : Tensor();
  }

  static Group part_of(const Group& group, const Tensor& mask) {
    const Tensor chosen = mask.nonzero().squeeze(1);
    Group part = group;
    part.rows = group.rows.index_select(0, chosen);
    part.x = group.x.index_select(0, chosen);
    part.run.rate_ = group.run.rate_.index_select(0, chosen);
    part.run.demand_ = Tensor();
    return part;
  }

  /// To the end, or to where some rows are slow: their group is returned, and the others are left.
  static std::optional<Group> carry(const RowRate& rate, Group& group, double end) {
    const OdeRate own = [&](const Tensor& x, double t) { return rate(x, t, group.rows); };
    for (int64_t tried = 1; group.t != end; ++tried) {
      group.run.move(own, group.x, group.t, end);
      if (tried % tries_between_looks != 0 || group.rows.size(0) == 1) continue;
      const Tensor slow = slow_rows(group);
      group.run.demand_ = Tensor();
      if (!slow.defined()) continue;
      std::optional<Group> apart = part_of(group, slow);
      apart->run.rejected_ = apart->run.tries_ = 0;
      group = part_of(group, slow.logical_not());
      return apart;
    }
    return {};
  }
};

OdeRun advance_rows(const RowRate& rate, const Tensor& x, double begin, double end,
                    DormandPrince::Options options) {
  OdeRun result{x.clone()};
  if (begin == end || x.size(0) == 0) return result;
  std::vector<RowGroups::Group> left{RowGroups::whole(rate, x, begin, end, options)};
  while (!left.empty()) {
    RowGroups::Group& group = left.back();
    try {
      if (auto apart = RowGroups::carry(rate, group, end)) {
        left.push_back(std::move(*apart));
        continue;
      }
    } catch (const RowError& error) {
      throw RowError(error.kind(), group.rows[error.row()].item<int64_t>(), error.reason());
    }
    result.x.index_copy_(0, group.rows, group.x);
    result.evaluations = std::max(result.evaluations, group.run.evaluations());
    result.rejected += group.run.rejected();
    left.pop_back();
  }
  return result;
}

}  // namespace fokker
