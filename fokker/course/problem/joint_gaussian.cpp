#include "fokker/course/problem/joint_gaussian.h"

#include "fokker/core/check.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {
namespace {

Tensor symmetric(const Tensor& matrix) {
  return 0.5 * (matrix + matrix.t());
}

Tensor vector(const Tensor& values, const char* owner, const char* what) {
  check(values.dim() == 1 && values.size(0) > 0, "{}: expected {} of shape (d) but received {}", owner, what,
        shape_string(values));
  return values.detach().to(at::kDouble);
}

Tensor matrix(const Tensor& values, int64_t rows, int64_t columns, const char* owner, const char* what) {
  check(values.dim() == 2 && values.size(0) == rows && values.size(1) == columns,
        "{}: expected {} of shape ({}, {}) but received {}", owner, what, rows, columns,
        shape_string(values));
  return values.detach().to(at::kDouble);
}

/// A symmetric positive semi-definite (d, d) matrix, up to rounding.
Tensor covariance(const Tensor& values, int64_t d, const char* owner, const char* what) {
  const Tensor result = matrix(values, d, d, owner, what);
  const double scale = result.abs().max().item<double>();
  check((result - result.t()).abs().max().item<double>() <= 1e-9 * scale, "{}: expected a symmetric {}",
        owner, what);
  const double smallest = at::linalg_eigvalsh(result).min().item<double>();
  check(smallest >= -1e-9 * scale,
        "{}: expected a positive semi-definite {} but received one with eigenvalue {}", owner, what,
        smallest);
  return symmetric(result);
}

/// The Cholesky factor of a positive definite matrix.
Tensor factor(const Tensor& values, const char* owner, const char* what) {
  const auto [L, info] = at::linalg_cholesky_ex(values);
  check(info.item<int>() == 0, "{}: expected a positive definite {} but received a singular matrix", owner,
        what);
  return L;
}

/// B S^-1 with S = L L^T.
Tensor divided(const Tensor& B, const Tensor& L) {
  return at::cholesky_solve(B.t(), L).t();
}

/// p(a | b) from the parts of the joint law of (a, b).
GaussianLaw condition(const GaussianLaw& a, const GaussianLaw& b, const Tensor& cross, const Tensor& value,
                      const char* what) {
  check(value.dim() >= 1 && value.dim() <= 2 && value.size(-1) == b.mean.size(0),
        "BlockGaussian: expected a condition of shape (n, {}) but received {}", b.mean.size(0),
        shape_string(value));
  const Tensor gain = divided(cross, factor(b.covariance, "BlockGaussian", what));
  return {a.mean + (value.to(at::kDouble) - b.mean).matmul(gain.t()),
          symmetric(a.covariance - gain.matmul(cross.t()))};
}

}  // namespace

Tensor GaussianLaw::log_density(const Tensor& x) const {
  check(x.dim() == 2 && x.size(1) == covariance.size(0),
        "GaussianLaw: expected x of shape (n, {}) but received {}", covariance.size(0), shape_string(x));
  const Tensor zero = at::zeros({covariance.size(0)}, at::kDouble);
  return GaussianMixture::gaussian(zero, covariance).log_density(x.to(at::kDouble) - mean);
}

// S3, A.1. The second form is the first with the blocks exchanged.
Tensor block_inverse(const Tensor& S1, const Tensor& S12, const Tensor& S21, const Tensor& S2, Pivot pivot) {
  const char* name = "block_inverse";
  check(S1.dim() == 2 && S2.dim() == 2, "{}: expected matrices but received shapes {} and {}", name,
        shape_string(S1), shape_string(S2));
  const int64_t d1 = S1.size(0), d2 = S2.size(0);
  const Tensor a = matrix(S1, d1, d1, name, "S1"), b = matrix(S12, d1, d2, name, "S12"),
               c = matrix(S21, d2, d1, name, "S21"), d = matrix(S2, d2, d2, name, "S2");
  if (pivot == Pivot::first) {
    const Tensor swapped = block_inverse(d, c, b, a, Pivot::second);
    return at::roll(swapped, {d1, d1}, {0, 1});
  }
  const Tensor inverse = at::linalg_inv(d);
  const Tensor schur = at::linalg_inv(a - b.matmul(inverse).matmul(c));
  const Tensor right = -schur.matmul(b).matmul(inverse), left = -inverse.matmul(c).matmul(schur);
  const Tensor corner = inverse - left.matmul(b).matmul(inverse);
  return at::cat({at::cat({schur, right}, 1), at::cat({left, corner}, 1)}, 0);
}

BlockGaussian::BlockGaussian(const Tensor& mean1, const Tensor& mean2, const Tensor& S1, const Tensor& S12,
                             const Tensor& S2)
    : mean1_(vector(mean1, "BlockGaussian", "mean1")), mean2_(vector(mean2, "BlockGaussian", "mean2")) {
  const int64_t d1 = mean1_.size(0), d2 = mean2_.size(0);
  S1_ = covariance(S1, d1, "BlockGaussian", "S1");
  S12_ = matrix(S12, d1, d2, "BlockGaussian", "S12");
  S2_ = covariance(S2, d2, "BlockGaussian", "S2");
  covariance(joint().covariance, d1 + d2, "BlockGaussian", "joint covariance");
}

GaussianLaw BlockGaussian::joint() const {
  const Tensor top = at::cat({S1_, S12_}, 1), bottom = at::cat({S12_.t(), S2_}, 1);
  return {at::cat({mean1_, mean2_}), at::cat({top, bottom}, 0)};
}

GaussianLaw BlockGaussian::first_given(const Tensor& x2) const {
  return condition(first(), second(), S12_, x2, "S2");
}

GaussianLaw BlockGaussian::second_given(const Tensor& x1) const {
  return condition(second(), first(), S12_.t(), x1, "S1");
}

GaussianSignal::GaussianSignal(const Tensor& mu, const Tensor& P, const Tensor& Q)
    : mu_(vector(mu, "GaussianSignal", "mu")) {
  const int64_t d = mu_.size(0);
  P_ = covariance(P, d, "GaussianSignal", "P");
  Q_ = covariance(Q, d, "GaussianSignal", "Q");
  total_ = P_ + Q_;
  factor_ = factor(total_, "GaussianSignal", "P + Q");
  gain_ = divided(P_, factor_);
  noise_gain_ = divided(Q_, factor_);
}

Tensor GaussianSignal::centred(const Tensor& x) const {
  check(x.dim() >= 1 && x.dim() <= 2 && x.size(-1) == mu_.size(0),
        "GaussianSignal: expected x of shape (n, {}) but received {}", mu_.size(0), shape_string(x));
  return x.to(at::kDouble) - mu_;
}

GaussianLaw GaussianSignal::observation() const {
  return {mu_, total_};
}

Tensor GaussianSignal::score(const Tensor& x) const {
  const Tensor r = centred(x);
  return -at::cholesky_solve(r.reshape({-1, mu_.size(0)}).t(), factor_).t().reshape(r.sizes());
}

GaussianLaw GaussianSignal::signal_given(const Tensor& x) const {
  return {mu_ + centred(x).matmul(gain_.t()), symmetric(noise_gain_.matmul(P_))};
}

GaussianLaw GaussianSignal::noise_given(const Tensor& x) const {
  return {centred(x).matmul(noise_gain_.t()), symmetric(gain_.matmul(Q_))};
}

Tensor GaussianSignal::sample_signal(const Tensor& x, const Rng& rng) const {
  check(x.dim() == 2, "GaussianSignal: expected x of shape (n, {}) but received {}", mu_.size(0),
        shape_string(x));
  const GaussianLaw noise = noise_given(x);
  const auto [values, vectors] = at::linalg_eigh(noise.covariance);
  const Tensor root = vectors * values.clamp_min(0).sqrt();
  const Tensor eps = rng.stream("gaussian-signal").normal(x.sizes(), {}, at::kDouble);
  return x.to(at::kDouble) - (noise.mean + eps.matmul(root.t()));
}

BlockGaussian GaussianSignal::signal_and_observation() const {
  return {mu_, mu_, P_, P_, total_};
}

BlockGaussian GaussianSignal::noise_and_observation() const {
  return {at::zeros_like(mu_), mu_, Q_, Q_, total_};
}

}  // namespace fokker
