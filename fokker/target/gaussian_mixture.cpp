#include "fokker/target/gaussian_mixture.h"

#include <limits>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/kernel/mixture/mixture_softmax.h"

namespace fokker {
namespace {

Tensor parameter(const Tensor& values, const char* what) {
  check(values.defined() && (values.is_floating_point() || at::isIntegralType(values.scalar_type(), false)),
        "GaussianMixture: expected numbers for {}", what);
  const Tensor result = values.detach().to(at::kDouble).contiguous();
  check(at::isfinite(result).all().item<bool>(), "GaussianMixture: expected finite {} but received {}", what,
        at::isnan(result).any().item<bool>() ? "nan" : "inf");
  return result;
}

/// Refuses negative variances, naming the component.
void check_variances(const Tensor& variances) {
  const Tensor rows = variances.reshape({variances.dim() == 0 ? 1 : variances.size(0), -1});
  const Tensor smallest = rows.amin(1);
  const int64_t worst = smallest.argmin().item<int64_t>();
  check(smallest[worst].item<double>() >= 0,
        "GaussianMixture: covariances[{}]: expected variances >= 0 but received {}", worst,
        smallest[worst].item<double>());
}

void check_symmetric(const Tensor& matrices) {
  const Tensor gap = (matrices - matrices.transpose(1, 2)).abs().flatten(1).amax(1);
  const Tensor scale = matrices.abs().flatten(1).amax(1);
  const Tensor worst = (gap - 1e-9 * scale).argmax();
  const auto index = worst.item<int64_t>();
  check((gap <= 1e-9 * scale).all().item<bool>(),
        "GaussianMixture: covariances[{}]: expected a symmetric matrix but entries across the diagonal "
        "differ by {}",
        index, gap[index].item<double>());
}

/// Rounding leaves eigenvalues of a semi-definite matrix slightly off zero, on either side: those become
/// zero.
Tensor clean_eigenvalues(const Tensor& values) {
  const Tensor scale = values.abs().amax(1, true);
  const Tensor smallest = values.amin(1);
  const Tensor allowed = -1e-9 * scale.squeeze(1);
  const auto worst = (smallest - allowed).argmin().item<int64_t>();
  check((smallest >= allowed).all().item<bool>(),
        "GaussianMixture: covariances[{}]: expected a positive semi-definite matrix but its smallest "
        "eigenvalue is {}",
        worst, smallest[worst].item<double>());
  const double floor = std::numeric_limits<double>::epsilon() * static_cast<double>(values.size(1));
  return at::where(values > floor * scale, values, at::zeros_like(values));
}

}  // namespace

GaussianMixture::GaussianMixture(const Tensor& weights, const Tensor& means, const Tensor& covariances) try {
  means_ = parameter(means, "means");
  check(means_.dim() == 2 && means_.size(0) > 0 && means_.size(1) > 0,
        "GaussianMixture: expected means of shape (k, d) but received {}", shape_string(means_));
  set_weights(weights);
  set_covariances(covariances);
  simplify_covariances();
  prepare();
} catch (...) {
  detail::throw_as_error();
}

void GaussianMixture::set_weights(const Tensor& weights) {
  const Tensor values = parameter(weights, "weights");
  check(values.dim() == 1 && values.size(0) == means_.size(0),
        "GaussianMixture: expected {} weights, one per mean, but received shape {}", means_.size(0),
        shape_string(values));
  const auto smallest = values.argmin().item<int64_t>();
  check(values[smallest].item<double>() > 0,
        "GaussianMixture: weights[{}]: expected a number > 0 but received {}", smallest,
        values[smallest].item<double>());
  weights_ = values / values.max();  // first by the largest, so that the sum cannot overflow
  weights_ = weights_ / weights_.sum();
  log_weights_ = weights_.log();
}

void GaussianMixture::set_covariances(const Tensor& covariances) {
  const Tensor values = parameter(covariances, "covariances");
  const int64_t k = means_.size(0), d = means_.size(1);
  const auto expect = [&](const std::vector<int64_t>& shape) {
    check(values.sizes() == IntArrayRef(shape),
          "GaussianMixture: expected covariances of shape (), ({0}), ({0}, {1}) or ({0}, {1}, {1}) but "
          "received {2}",
          k, d, shape_string(values));
  };
  if (values.dim() == 3) {
    expect({k, d, d});
    check_symmetric(values);
    const Tensor diagonal = values.diagonal(0, 1, 2);
    if (at::equal(values, at::diag_embed(diagonal))) {
      variances_ = diagonal.contiguous();
    } else {
      const auto [eigenvalues, eigenvectors] = at::linalg_eigh(values, "L");
      variances_ = clean_eigenvalues(eigenvalues);
      axes_ = eigenvectors.contiguous();
    }
  } else {
    if (values.dim() > 0) expect(values.dim() == 1 ? std::vector<int64_t>{k} : std::vector<int64_t>{k, d});
    variances_ = values.dim() == 1 ? values.unsqueeze(1) : values;
  }
  check_variances(variances_);
}

/// The simplest form is also the fastest and the most accurate.
void GaussianMixture::simplify_covariances() {
  if (variances_.dim() == 0 || axes_.defined()) return;
  if (at::equal(variances_, variances_.slice(1, 0, 1).expand_as(variances_)))
    variances_ = variances_.slice(1, 0, 1).contiguous();
  if (variances_.size(1) == 1 && at::equal(variances_, variances_[0].expand_as(variances_)))
    variances_ = variances_[0][0].clone();
}

void GaussianMixture::prepare() {
  smallest_variance_ = variances_.min().item<double>();
  if (!shared()) return;
  centred_ = std::make_shared<const kernel::CentredMeans>(means_, log_weights_);
  softmax_ = means_.is_cpu() ? std::make_shared<kernel::SoftmaxComponents>(*centred_) : nullptr;
}

GaussianMixture GaussianMixture::standard_normal(int64_t dimension) try {
  check(dimension > 0, "GaussianMixture: expected dimension > 0 but received {}", dimension);
  return {at::ones({1}), at::zeros({1, dimension}, at::kDouble), at::ones({})};
} catch (...) {
  detail::throw_as_error();
}

GaussianMixture GaussianMixture::gaussian(const Tensor& mean, const Tensor& covariance) try {
  check(mean.dim() == 1, "GaussianMixture: expected a mean of shape (d) but received {}", shape_string(mean));
  return {at::ones({1}), mean.unsqueeze(0), covariance.dim() == 0 ? covariance : covariance.unsqueeze(0)};
} catch (...) {
  detail::throw_as_error();
}

GaussianMixture GaussianMixture::empirical(const Tensor& points) try {
  check(points.dim() >= 1 && points.numel() > 0,
        "GaussianMixture: expected points of shape (n, d) but received {}", shape_string(points));
  return {at::ones({points.size(0)}), points.reshape({points.size(0), -1}), at::zeros({})};
} catch (...) {
  detail::throw_as_error();
}

GaussianMixture GaussianMixture::noised(double alpha, double sigma) const try {
  check(std::isfinite(alpha) && std::isfinite(sigma) && sigma >= 0,
        "GaussianMixture::noised: expected finite alpha and sigma >= 0 but received {} and {}", alpha, sigma);
  GaussianMixture result;
  result.weights_ = weights_;
  result.log_weights_ = log_weights_;
  result.means_ = means_ * alpha;
  result.variances_ = variances_ * (alpha * alpha) + sigma * sigma;
  result.axes_ = axes_;
  result.prepare();
  return result;
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianMixture::sample(int64_t count, const Rng& rng) const try {
  check(count >= 0, "GaussianMixture: expected a sample count >= 0 but received {}", count);
  const Tensor u = rng.stream("component").uniform({count}, {}, at::kDouble).to(means_.device());
  const Tensor component = at::searchsorted(weights_.cumsum(0), u, false, true).clamp_max_(components() - 1);
  if (variances_.max().item<double>() == 0) return means_.index_select(0, component);
  const Tensor noise = rng.stream("noise").normal({count, dimension()}, {}, at::kDouble).to(means_.device());
  const Tensor scale = shared() ? variances_.sqrt() : variances_.sqrt().index_select(0, component);
  Tensor deviation = noise * scale;
  if (axes_.defined()) {
    const Tensor along = deviation;
    deviation = at::empty_like(along);
    for (int64_t k = 0; k < components(); ++k) {
      const Tensor chosen = (component == k).nonzero().squeeze(1);
      deviation.index_copy_(0, chosen, along.index_select(0, chosen).matmul(axes_[k].t()));
    }
  }
  return deviation.add_(means_.index_select(0, component));
} catch (...) {
  detail::throw_as_error();
}

Tensor GaussianMixture::component_covariance(int64_t component) const {
  check(component >= 0 && component < components(),
        "GaussianMixture: expected a component below {} but received {}", components(), component);
  const Tensor diagonal = (shared() ? variances_ : variances_[component]).expand({dimension()});
  if (!axes_.defined()) return diagonal.diag();
  return (axes_[component] * diagonal).matmul(axes_[component].t());
}

Tensor GaussianMixture::mean() const {
  return weights_.matmul(means_);
}

double GaussianMixture::mean_square() const {
  const Tensor traces = variances_.expand({components(), dimension()}).sum(1);
  const Tensor squares = means_.square().sum(1) + traces;
  return weights_.dot(squares).item<double>() / static_cast<double>(dimension());
}

Tensor GaussianMixture::covariance() const {
  const Tensor deviations = (means_ - mean()) * weights_.sqrt().unsqueeze(1);
  Tensor result = deviations.t().matmul(deviations);
  if (!axes_.defined())
    return result +
           (shared() ? variances_.expand({dimension()}) : weights_.matmul(variances_).expand({dimension()}))
               .diag();
  for (int64_t k = 0; k < components(); ++k) result = result + component_covariance(k) * weights_[k];
  return result;
}

GaussianMixture GaussianMixture::to(at::Device device) const try {
  GaussianMixture result = *this;
  for (Tensor* tensor :
       {&result.weights_, &result.log_weights_, &result.means_, &result.variances_, &result.axes_})
    if (tensor->defined()) *tensor = tensor->to(device);
  if (!shared()) return result;
  result.centred_ = std::make_shared<const kernel::CentredMeans>(centred_->to(device));
  if (!device.is_cpu())
    result.softmax_ = nullptr;
  else if (!softmax_)
    result.softmax_ = std::make_shared<kernel::SoftmaxComponents>(*result.centred_);
  return result;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
