#include "fokker/course/problem/labelled_mixture.h"

#include "fokker/core/boundary.h"

namespace fokker {

LabelledMixture::LabelledMixture(GaussianMixture whole, const std::vector<GaussianMixture>& classes,
                                 const GaussianProcess& process)
    : whole_(std::move(whole), process) {
  for (const GaussianMixture& c : classes) classes_.emplace_back(c, process);
}

Estimate LabelledMixture::estimate(const Tensor& x, const Times& t, const Tensor& label) const try {
  const Estimate whole = whole_.estimate(x, t);
  if (!label.defined()) return whole;
  Tensor value = whole.value();
  for (size_t k = 0; k < classes_.size(); ++k) {
    const Tensor here = label == static_cast<int64_t>(k);
    if (!here.any().item<bool>()) continue;
    const Tensor own = classes_[k].estimate(x, t).as(whole.prediction()).value();
    value = at::where(per_sample(here, x), own, value);
  }
  return whole.with_value(value);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
