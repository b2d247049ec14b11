#include "fokker/course/verify/line_mixture.h"

#include <cmath>
#include <numbers>

#include "fokker/course/verify/statistic.h"

namespace fokker::verify {
namespace {

Tensor row(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble));
}

}  // namespace

LineMixture::LineMixture(const std::vector<double>& weights, const std::vector<double>& means,
                         const std::vector<double>& variances)
    : weights_(row(weights)), means_(row(means)), variances_(row(variances)) {}

LineMixture LineMixture::of(const GaussianMixture& law) {
  std::vector<double> weights, means, variances;
  for (int64_t k = 0; k < law.components(); ++k) {
    weights.push_back(law.weights()[k].item<double>());
    means.push_back(law.means()[k].item<double>());
    variances.push_back(law.component_covariance(k).item<double>());
  }
  return {weights, means, variances};
}

GaussianMixture LineMixture::mixture() const {
  return GaussianMixture(weights_, means_.unsqueeze(1), variances_);
}

double LineMixture::mean() const {
  return (weights_ * means_).sum().item<double>();
}

double LineMixture::variance() const {
  return (weights_ * (variances_ + (means_ - mean()).square())).sum().item<double>();
}

LineMixture::Components LineMixture::components(const Tensor& x, double alpha, double sigma) const {
  const Tensor C = alpha * alpha * variances_ + sigma * sigma, r = alpha * means_ - x.unsqueeze(1);
  return {weights_.log() - 0.5 * (r.square() / C + (2 * std::numbers::pi * C).log()), r / C};
}

Tensor LineMixture::log_density(const Tensor& x, double alpha, double sigma) const {
  return components(x, alpha, sigma).log_terms.logsumexp(1);
}

Tensor LineMixture::distribution(const Tensor& x, double alpha, double sigma) const {
  const Tensor deviation = (alpha * alpha * variances_ + sigma * sigma).sqrt();
  return (weights_ * normal_distribution((x.unsqueeze(1) - alpha * means_) / deviation)).sum(1);
}

Tensor LineMixture::score(const Tensor& x, double alpha, double sigma) const {
  const Components c = components(x, alpha, sigma);
  return (c.log_terms.softmax(1) * c.pulls).sum(1);
}

Tensor LineMixture::noise(const Tensor& x, double alpha, double sigma) const {
  return -sigma * score(x, alpha, sigma);
}

}  // namespace fokker::verify
