#include "fokker/denoise/guidance.h"

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

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, double weight)
    : DenoiserDecorator(std::move(inner)), weight_(weight) {}

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, int64_t label, double weight) try
    : GuidedDenoiser(std::move(inner), weight) {
  check(label >= 0, "GuidedDenoiser: expected label >= 0 but received {}", label);
  labels_ = at::full({1}, label, at::kLong);
} catch (...) {
  detail::throw_as_error();
}

GuidedDenoiser::GuidedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor labels, double weight)
    : GuidedDenoiser(std::move(inner), weight) {
  check(labels.defined() && labels.dim() == 1 && labels.scalar_type() == at::kLong,
        "GuidedDenoiser: expected one int64 label per row, shape (n)");
  labels_ = std::move(labels);
}

Estimate GuidedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  if (!labels_.defined() && !label.defined()) return inner().estimate(x, t);
  const int64_t n = x.size(0), known = labels_.defined() ? labels_.size(0) : n;
  check(known == 1 || known == n,
        "GuidedDenoiser: expected the {} rows whose labels are bound but received {}", known, n);
  const Tensor used = labels_.defined() ? labels_.to(x.device()).expand({n}) : label;
  const Estimate conditional = inner().estimate(x, t, used);
  return weight_ == 1.0 ? conditional : inner().estimate(x, t).towards(conditional, weight_);
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Denoiser> GuidedDenoiser::over(std::shared_ptr<const Denoiser> inner) const {
  auto result = std::make_shared<GuidedDenoiser>(std::move(inner), weight_);
  result->labels_ = labels_;
  return result;
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
