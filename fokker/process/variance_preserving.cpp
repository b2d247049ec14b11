#include "fokker/process/variance_preserving.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

class LinearBetaModel final : public VariancePreservingModel {
 public:
  explicit LinearBetaModel(const VariancePreserving& o) : o_(o) {
    check(o.beta_min > 0 && o.beta_max >= o.beta_min,
          "vp: expected 0 < beta_min <= beta_max but received beta_min = {}, beta_max = {}", o.beta_min,
          o.beta_max);
  }
  double log_alpha(double t) const override {
    return -0.25 * (o_.beta_max - o_.beta_min) * t * t - 0.5 * o_.beta_min * t;
  }
  double beta(double t) const override { return o_.beta_min + t * (o_.beta_max - o_.beta_min); }
  double time_of_log_alpha(double log_alpha) const override {
    return linear_beta_time(o_.beta_min, o_.beta_max, log_alpha);
  }
  Json config() const override {
    return {{"type", "vp"}, {"beta_min", o_.beta_min}, {"beta_max", o_.beta_max}};
  }

 private:
  VariancePreserving o_;
};

class ConstantBetaModel final : public VariancePreservingModel {
 public:
  explicit ConstantBetaModel(const ConstantBeta& o) : o_(o) {
    check(o.beta > 0, "vp-constant: expected beta > 0 but received {}", o.beta);
  }
  double log_alpha(double t) const override { return -0.5 * o_.beta * t; }
  double beta(double) const override { return o_.beta; }
  double time_of_log_alpha(double log_alpha) const override { return -2.0 * log_alpha / o_.beta; }
  Json config() const override { return {{"type", "vp-constant"}, {"beta", o_.beta}}; }

 private:
  ConstantBeta o_;
};

class CosineModel final : public VariancePreservingModel {
 public:
  explicit CosineModel(const Cosine& o) : o_(o) {
    check(o.offset > 0 && o.time_scale > 0 && o.time_scale < 1,
          "vp-cosine: expected offset > 0 and 0 < time_scale < 1 but received offset = {}, time_scale = {}",
          o.offset, o.time_scale);
    start_ = angle(0);
  }
  /// cos(a)/cos(a_0) = cos(d) - tan(a_0) sin(d) with d = a - a_0: exact as t -> 0, where the ratio tends
  /// to 1.
  double log_alpha(double t) const override {
    const double d = angle(t) - start_;
    const double half = std::sin(0.5 * d);
    return std::log1p(-2.0 * half * half - std::tan(start_) * std::sin(d));
  }
  double beta(double t) const override { return 2.0 * rate() * std::tan(angle(t)); }
  double time_of_log_alpha(double log_alpha) const override {
    const double a = std::acos(std::exp(log_alpha) * std::cos(start_));
    return (a - start_) / rate();
  }
  Json config() const override {
    return {{"type", "vp-cosine"}, {"offset", o_.offset}, {"time_scale", o_.time_scale}};
  }

 private:
  double rate() const { return 0.5 * std::numbers::pi * o_.time_scale / (1.0 + o_.offset); }
  double angle(double t) const {
    return 0.5 * std::numbers::pi * (o_.time_scale * t + o_.offset) / (1.0 + o_.offset);
  }
  Cosine o_;
  double start_ = 0;
};

class BetaTableModel final : public VariancePreservingModel {
 public:
  explicit BetaTableModel(BetaTable table) : beta_(std::move(table.beta)) {
    check(!beta_.empty(), "ddpm: expected a table of at least one beta but received none");
    zero_end_ = beta_.size() > 1 && beta_.back() == 1;
    log_alpha_.push_back(0.0);
    for (size_t i = 0; i < beta_.size(); ++i) {
      const double b = beta_[i];
      check(b > 0 && (b < 1 || (zero_end_ && i + 1 == beta_.size())),
            "ddpm: expected every beta in (0, 1), or the last at 1, but received {}", b);
      log_alpha_.push_back(b < 1 ? log_alpha_.back() + 0.5 * std::log1p(-b) : -infinity);
    }
  }
  double log_alpha(double t) const override {
    const double position = std::clamp(t, 0.0, 1.0) * steps();
    // Times i/N must hit the table exactly although N * (i/N) may round below i.
    const double nearest = std::round(position);
    if (std::abs(position - nearest) < 1e-9 * steps()) return log_alpha_[static_cast<size_t>(nearest)];
    const auto i = static_cast<size_t>(position);
    if (is_last(i + 1)) return before_last() + std::log1p(-(position - static_cast<double>(i)));
    return std::lerp(log_alpha_[i], log_alpha_[i + 1], position - static_cast<double>(i));
  }
  double alpha_rate(double t) const override {
    return in_last(t) ? -steps() * std::exp(before_last()) : VariancePreservingModel::alpha_rate(t);
  }
  double sigma_rate(double t) const override {
    return in_last(t) ? -alpha(t) * alpha_rate(t) / sigma(t) : VariancePreservingModel::sigma_rate(t);
  }
  double velocity_rate(double t) const override {
    return in_last(t) ? -alpha_rate(t) / sigma(t) : VariancePreservingModel::velocity_rate(t);
  }
  /// The chain's step that ends at or after t: constant within (i-1)/N < t <= i/N, but for a last one in
  /// which alpha falls linearly to 0.
  double beta(double t) const override {
    const size_t i = step_of(t);
    if (is_last(i)) return 2.0 * steps() / (steps() - std::clamp(t, 0.0, 1.0) * steps());
    return -2.0 * steps() * (log_alpha_[i] - log_alpha_[i - 1]);
  }
  double time_of_log_alpha(double value) const override {
    const auto above = std::lower_bound(log_alpha_.begin(), log_alpha_.end(), value, std::greater<>());
    if (above == log_alpha_.begin()) return 0;
    if (above == log_alpha_.end()) return 1;
    const auto i = static_cast<size_t>(above - log_alpha_.begin());
    const double fraction =
        is_last(i) ? -std::expm1(value - above[-1]) : (value - above[-1]) / (above[0] - above[-1]);
    return (static_cast<double>(i - 1) + fraction) / steps();
  }
  int64_t chain_steps() const override { return static_cast<int64_t>(beta_.size()); }
  Json config() const override { return {{"type", "ddpm"}, {"betas", beta_}}; }

 private:
  double steps() const { return static_cast<double>(beta_.size()); }
  size_t step_of(double t) const {
    const double position = std::ceil(std::clamp(t, 0.0, 1.0) * steps() - 1e-9 * steps());
    return static_cast<size_t>(std::clamp(position, 1.0, steps()));
  }
  /// Whether step i, from 1 on, is one that leaves nothing of the data.
  bool is_last(size_t i) const { return zero_end_ && i == beta_.size(); }
  bool in_last(double t) const { return is_last(step_of(t)); }
  double before_last() const { return log_alpha_[beta_.size() - 1]; }

  std::vector<double> beta_;
  std::vector<double> log_alpha_;
  bool zero_end_ = false;
};

class SubVpModel final : public ScheduleModel {
 public:
  explicit SubVpModel(const SubVariancePreserving& o)
      : o_(o), vp_(VariancePreserving{o.beta_min, o.beta_max}) {}
  double alpha(double t) const override { return vp_.alpha(t); }
  double sigma(double t) const override { return -std::expm1(2.0 * log_alpha(t)); }
  double alpha_rate(double t) const override { return vp_.alpha_rate(t); }
  double sigma_rate(double t) const override { return vp_.beta(t) * std::exp(2.0 * log_alpha(t)); }
  double log_alpha(double t) const override { return vp_.log_alpha(t); }
  double log_snr(double t) const override {
    return t <= 0 ? infinity : 2.0 * (log_alpha(t) - std::log(sigma(t)));
  }
  /// alpha/(1 - alpha^2) = exp(lambda/2) has the root log alpha = -asinh(exp(-lambda/2)/2).
  double time_of_log_snr(double log_snr) const override {
    const double log_alpha = -std::asinh(0.5 * std::exp(-0.5 * log_snr));
    return std::clamp(linear_beta_time(o_.beta_min, o_.beta_max, log_alpha), 0.0, 1.0);
  }
  double drift(double t) const override { return vp_.drift(t); }
  /// Song et al. (2021), eq. 28: g^2 = beta (1 - exp(-2 int beta)).
  double diffusion_squared(double t) const override { return -vp_.beta(t) * std::expm1(4.0 * log_alpha(t)); }
  /// alpha' = -beta alpha/2, sigma' = beta alpha^2: v is (alpha', sigma') / W.
  PathCoefficients velocity(double t) const override {
    const double alpha = std::exp(log_alpha(t));
    const double scale = alpha * alpha + 0.5 * sigma(t);
    return {-0.5 / scale, alpha / scale};
  }
  double velocity_rate(double t) const override {
    const double alpha = std::exp(log_alpha(t));
    return vp_.beta(t) * alpha * (alpha * alpha + 0.5 * sigma(t));
  }
  Json config() const override {
    return {{"type", "sub-vp"}, {"beta_min", o_.beta_min}, {"beta_max", o_.beta_max}};
  }

 private:
  SubVariancePreserving o_;
  LinearBetaModel vp_;
};

}  // namespace

double VariancePreservingModel::sigma(double t) const {
  return std::sqrt(-std::expm1(2.0 * log_alpha(t)));
}

double VariancePreservingModel::log_snr(double t) const {
  const double twice = 2.0 * log_alpha(t);
  return twice == 0 ? infinity : twice - std::log(-std::expm1(twice));
}

double VariancePreservingModel::time_of_log_snr(double log_snr) const {
  // alpha^2 = 1/(1 + e^-lambda)
  const double softplus =
      log_snr > 0 ? std::log1p(std::exp(-log_snr)) : -log_snr + std::log1p(std::exp(log_snr));
  return std::clamp(time_of_log_alpha(-0.5 * softplus), 0.0, 1.0);
}

PathCoefficients VariancePreservingModel::velocity(double t) const {
  return {-sigma(t), std::exp(log_alpha(t))};
}

double VariancePreservingModel::sigma_rate(double t) const {
  // sigma sigma' = -alpha alpha'
  const double a = alpha(t);
  return 0.5 * beta(t) * a * a / sigma(t);
}

double VariancePreservingModel::velocity_rate(double t) const {
  // W = alpha sigma' - alpha' sigma = (beta/2) alpha / sigma, since sigma sigma' = -alpha alpha'.
  return 0.5 * beta(t) * std::exp(log_alpha(t)) / sigma(t);
}

double linear_beta_time(double beta_min, double beta_max, double log_alpha) {
  // a t^2 + b t = c with the root that does not cancel as c -> 0.
  const double a = 0.25 * (beta_max - beta_min), b = 0.5 * beta_min, c = -log_alpha;
  if (std::isinf(c)) return c;
  return 2.0 * c / (b + std::sqrt(b * b + 4.0 * a * c));
}

BetaTable BetaTable::linear(int64_t steps, double first, double last) {
  check(steps >= 1 && steps <= 1'000'000, "ddpm: expected 1 to 1000000 steps but received {}", steps);
  BetaTable table;
  for (int64_t i = 0; i < steps; ++i)
    table.beta.push_back(
        std::lerp(first, last, steps > 1 ? static_cast<double>(i) / static_cast<double>(steps - 1) : 0.0));
  return table;
}

std::shared_ptr<const ScheduleModel> make_model(const VariancePreserving& options) {
  return std::make_shared<LinearBetaModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(const ConstantBeta& options) {
  return std::make_shared<ConstantBetaModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(const Cosine& options) {
  return std::make_shared<CosineModel>(options);
}
std::shared_ptr<const ScheduleModel> make_model(BetaTable options) {
  return std::make_shared<BetaTableModel>(std::move(options));
}
std::shared_ptr<const ScheduleModel> make_model(const SubVariancePreserving& options) {
  return std::make_shared<SubVpModel>(options);
}

}  // namespace fokker
