#include "fokker/denoise/guidance.h"

#include "fokker/core/check.h"

namespace fokker {

ClippedDenoiser::ClippedDenoiser(const Denoiser& inner, double limit) : inner_(inner), limit_(limit) {
  check(limit > 0, "ClippedDenoiser: expected limit > 0 but received {}", limit);
}

Estimate ClippedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor& label) const {
  const Tensor denoised = inner_.estimate(x, t, label).denoised();
  return Estimate(x, denoised.clamp(-limit_, limit_), Prediction::data(), inner_.process(), t);
}

GuidedDenoiser::GuidedDenoiser(const Denoiser& inner, int64_t label, double weight)
    : inner_(inner), label_(label), weight_(weight) {
  check(label >= 0, "GuidedDenoiser: expected label >= 0 but received {}", label);
}

Estimate GuidedDenoiser::estimate(const Tensor& x, const Times& t, const Tensor&) const {
  const Tensor label = at::full({x.size(0)}, label_, x.options().dtype(at::kLong));
  const Estimate conditional = inner_.estimate(x, t, label);
  if (weight_ == 1.0) return conditional;
  const Estimate unconditional = inner_.estimate(x, t);
  return conditional.with_value(at::lerp(unconditional.value(), conditional.value(), weight_));
}

std::unique_ptr<const Denoiser> ClippedDenoiser::frozen() const {
  std::shared_ptr<const Denoiser> inner = inner_.frozen();
  if (!inner) return nullptr;
  auto result = std::make_unique<ClippedDenoiser>(*inner, limit_);
  result->owned_ = std::move(inner);
  return result;
}

std::unique_ptr<const Denoiser> GuidedDenoiser::frozen() const {
  std::shared_ptr<const Denoiser> inner = inner_.frozen();
  if (!inner) return nullptr;
  auto result = std::make_unique<GuidedDenoiser>(*inner, label_, weight_);
  result->owned_ = std::move(inner);
  return result;
}

}  // namespace fokker
