#include "fokker/denoise/guidance.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

DenoiserDecorator::DenoiserDecorator(std::shared_ptr<const Denoiser> inner) : inner_(std::move(inner)) {
  check(inner_ != nullptr, "DenoiserDecorator: expected a denoiser but received none");
}

std::shared_ptr<const Denoiser> DenoiserDecorator::frozen() const {
  std::shared_ptr<const Denoiser> inner = inner_->frozen();
  return inner ? over(std::move(inner)) : nullptr;
}

ClippedDenoiser::ClippedDenoiser(std::shared_ptr<const Denoiser> inner, double limit)
    : DenoiserDecorator(std::move(inner)), limit_(limit) {
  check(limit > 0, "ClippedDenoiser: expected limit > 0 but received {}", limit);
}

Estimate ClippedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Tensor denoised = inner().estimate(x, t, label).denoised();
  return Estimate(x, denoised.clamp(-limit_, limit_), Prediction::data(), process(), t);
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> ClippedDenoiser::over(std::shared_ptr<const Denoiser> inner) const {
  return std::make_shared<ClippedDenoiser>(std::move(inner), limit_);
}

namespace {

void check_guidance(double weight, const GuidanceInterval& interval) {
  check(std::isfinite(weight), "guidance: expected a finite weight but received {}", weight);
  check(interval.low >= 0 && interval.low <= interval.high,
        "guidance: expected an interval of noise levels 0 <= LOW <= HIGH but received {}..{}", interval.low,
        interval.high);
}

/// The rows that have a condition, (n) bool.
Tensor conditioned_rows(const Tensor& label) {
  return label.dim() == 1 ? label >= 0 : label.isnan().any(1).logical_not();
}

/// From the weak estimate towards the strong one, row by row where the noise level or the row says so; the
/// weak one is asked for only where it counts.
class Guidance {
 public:
  Guidance(double weight, const GuidanceInterval& interval, const GaussianProcess& process)
      : weight_(weight), interval_(interval), process_(process) {}

  /// `with`: the rows that are guided, the others are the weak estimate; undefined for all.
  template <typename Weak>
  Estimate guide(const Estimate& strong, const Weak& weak, const Tensor& with = {}) const {
    if (weight_ == 1) return strong;
    const Times& t = strong.times();
    if (t.is_scalar() && !interval_.contains(process_, t.scalar())) return strong;
    Tensor weights;
    if (!t.is_scalar() && !interval_.is_everything()) {
      weights = t.map([&](double u) { return interval_.contains(process_, u) ? weight_ : 1.0; },
                      strong.x().flatten(1).select(1, 0));
      if (weights.eq(1).all().template item<bool>()) return strong;
    }
    if (with.defined()) {
      if (!weights.defined()) weights = at::full({with.size(0)}, weight_, strong.x().options());
      weights = at::where(with, weights, at::zeros_like(weights));
    }
    return weights.defined() ? weak().towards(strong, weights) : weak().towards(strong, weight_);
  }

 private:
  double weight_;
  const GuidanceInterval& interval_;
  const GaussianProcess& process_;
};

}  // namespace

bool GuidanceInterval::contains(const GaussianProcess& process, double t) const {
  const double alpha = process.alpha(t);
  const double level = alpha > 0 ? process.sigma(t) / alpha : std::numeric_limits<double>::infinity();
  return low <= level && level <= high;
}

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, double weight,
                               GuidanceInterval interval)
    : DenoiserDecorator(std::move(inner)), weight_(weight), interval_(interval) {
  check_guidance(weight, interval);
}

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, int64_t label, double weight,
                               GuidanceInterval interval) try
    : GuidedDenoiser(std::move(inner), weight, interval) {
  check(label >= 0, "GuidedDenoiser: expected label >= 0 but received {}", label);
  labels_ = at::full({1}, label, at::kLong);
} catch (...) {
  detail::throw_as_error();
}

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor labels, double weight,
                               GuidanceInterval interval)
    : GuidedDenoiser(std::move(inner), weight, interval) {
  check(labels.defined() && ((labels.dim() == 1 && labels.scalar_type() == at::kLong) ||
                             (labels.dim() == 2 && at::isFloatingType(labels.scalar_type()))),
        "GuidedDenoiser: expected one condition per row, (n) int64 or (n, k) floating, but received {} {}",
        labels.defined() ? shape_string(labels) : "none",
        labels.defined() ? c10::toString(labels.scalar_type()) : "");
  labels_ = std::move(labels);
}

Tensor GuidedDenoiser::labels_of_call(const Tensor& x, const Tensor& label) const {
  if (!labels_.defined()) return label;
  const int64_t n = x.size(0), known = labels_.size(0);
  check(known == 1 || known == n,
        "GuidedDenoiser: expected the {} rows whose labels are bound but received {}", known, n);
  const Tensor here = labels_.is_floating_point() ? labels_.to(x.options()) : labels_.to(x.device());
  return known == n ? here : labels_.dim() == 1 ? here.expand({n}) : here.expand({n, -1});
}

Estimate GuidedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Tensor used = labels_of_call(x, label);
  if (!used.defined()) return inner().estimate(x, t);
  const Estimate conditional = inner().estimate(x, t, used);
  if (weight_ == 1) return conditional;
  const Tensor with = conditioned_rows(used);
  const auto unconditional = [&] { return inner().estimate(x, t); };
  return Guidance(weight_, interval_, process())
      .guide(conditional, unconditional, with.all().item<bool>() ? Tensor() : with);
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> GuidedDenoiser::over(std::shared_ptr<const Denoiser> inner) const {
  auto result = std::make_shared<GuidedDenoiser>(std::move(inner), weight_, interval_);
  result->labels_ = labels_;
  return result;
}

AutoguidedDenoiser::AutoguidedDenoiser(std::shared_ptr<const Denoiser> main,
                                       std::shared_ptr<const Denoiser> guide, double weight,
                                       GuidanceInterval interval)
    : main_(std::move(main)), guide_(std::move(guide)), weight_(weight), interval_(interval) {
  check(main_ != nullptr && guide_ != nullptr,
        "AutoguidedDenoiser: expected a denoiser and its guide but received {}",
        main_ ? "no guide" : "no denoiser");
  check_guidance(weight, interval);
  const auto different = first_difference(main_->process(), guide_->process());
  check(!different,
        "AutoguidedDenoiser: expected a guide of the same process but alpha or sigma differ at t = {}",
        different.value_or(0));
}

Estimate AutoguidedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  return Guidance(weight_, interval_, process()).guide(main_->estimate(x, t, label), [&] {
    return guide_->estimate(x, t, label);
  });
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> AutoguidedDenoiser::frozen() const {
  const auto main = main_->frozen(), guide = guide_->frozen();
  if (!main && !guide) return nullptr;
  return std::make_shared<AutoguidedDenoiser>(main ? main : main_, guide ? guide : guide_, weight_,
                                              interval_);
}

namespace {

/// sign grad f, without a graph of its own.
ScoreTerm gradient_term(const char* name, ScalarField f, double sign) {
  check(static_cast<bool>(f), "{}: expected a function but received none", name);
  check(std::isfinite(sign), "{}: expected a finite scale but received {}", name, sign);
  return [name, f = std::move(f), sign](const Tensor& x, const Times& t, const Estimate&) {
    const GradientMode on(true);
    const Tensor leaf = x.detach().requires_grad_();
    const Tensor values = f(leaf, t);
    check(values.dim() == 1 && values.size(0) == x.size(0),
          "{}: expected one number per row, ({}), but received {}", name, x.size(0), shape_string(values));
    check(values.requires_grad(), "{}: expected a function of x that libtorch differentiates", name);
    return gradients(values, {leaf}, /*create_graph=*/false)[0] * sign;
  };
}

}  // namespace

ScoreTerm energy_term(ScalarField energy) {
  return gradient_term("energy_term", std::move(energy), -1);
}

ScoreTerm classifier_term(ScalarField log_probability, double scale) {
  return gradient_term("classifier_term", std::move(log_probability), scale);
}

ScoreGuidedDenoiser::ScoreGuidedDenoiser(std::shared_ptr<const Denoiser> inner, ScoreTerm term)
    : DenoiserDecorator(std::move(inner)), term_(std::move(term)) {
  check(static_cast<bool>(term_), "ScoreGuidedDenoiser: expected a term but received none");
}

Estimate ScoreGuidedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Estimate estimate = inner().estimate(x, t, label);
  return estimate.with_score_added(term_(x, t, estimate).to(x.options()));
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> ScoreGuidedDenoiser::over(std::shared_ptr<const Denoiser> inner) const {
  return std::make_shared<ScoreGuidedDenoiser>(std::move(inner), term_);
}

}  // namespace fokker
