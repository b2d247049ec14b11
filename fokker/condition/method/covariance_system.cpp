#include "fokker/condition/method/covariance_system.h"

#include <algorithm>
#include <vector>

#include "fokker/condition/method/triangular.h"

namespace fokker {
namespace {

/// Rows of zeros where `keep` (n) is false.
Tensor kept_rows(const Tensor& rows, const Tensor& keep) {
  return at::where(keep.unsqueeze(1), rows, at::zeros_like(rows));
}

/// Each row's Lanczos vectors q_j, from r / |r| on, with h = Q^T (C + R) Q, upper Hessenberg. A row that is
/// left has vectors of zeros from there on, and its part of h is 0.
class KrylovSpace {
 public:
  KrylovSpace(const Tensor& r, const CovarianceSystem& system)
      : system_(system), length_(r.norm(2, {1}, true)), active_((length_ > 0).squeeze(1)) {
    next_ = kept_rows(r / length_, active_);
    left_ = at::ones_like(length_).squeeze(1);
    size_ = at::zeros_like(left_);
  }

  int64_t dimension() const { return static_cast<int64_t>(columns_.size()); }
  bool open() const { return active_.any().item<bool>(); }

  void extend(const std::function<Tensor(const Tensor&)>& product) {
    basis_ = basis_.defined() ? at::cat({basis_, next_.unsqueeze(1)}, 1) : next_.unsqueeze(1);
    Tensor image = kept_rows(product(next_) + next_ * system_.ridge, active_);
    Tensor column = coordinates(image);
    image = image - vectors(column);
    const Tensor again = coordinates(image);  // once is not enough where little is left
    image = image - vectors(again);
    column = column + again;
    const Tensor beyond = image.norm(2, {1});
    leave_finished(column.select(1, -1), beyond);
    columns_.push_back(column);
    couplings_.push_back(at::where(active_, beyond, at::zeros_like(beyond)));
    next_ = kept_rows(image / beyond.unsqueeze(1), active_);
  }

  /// (n, k, k): h where `full`, else its diagonal and what couples neighbours.
  Tensor matrix(bool full) const {
    const int64_t k = dimension();
    Tensor h = at::zeros({length_.size(0), k, k}, length_.options());
    for (int64_t j = 0; j < k; ++j) {
      const Tensor& column = columns_[static_cast<size_t>(j)];
      const Tensor& coupling = couplings_[static_cast<size_t>(j)];
      h.select(2, j).narrow(1, full ? 0 : j, full ? j + 1 : 1).copy_(full ? column : column.narrow(1, j, 1));
      if (j + 1 == k) continue;
      h.select(2, j).select(1, j + 1).copy_(coupling);
      if (!full) h.select(2, j + 1).select(1, j).copy_(coupling);
    }
    return h;
  }

  /// Q^T diag(d) Q, (n, k, k), for d (n, m) or (m); 1 on the diagonal where `missing` and there is no vector.
  Tensor projected(const Tensor& d, bool missing) const {
    const Tensor inside = basis_.matmul((basis_ * d.unsqueeze(-2)).transpose(1, 2));
    if (!missing) return inside;
    return inside + at::diag_embed((basis_.square().sum(2) < 0.5).to(basis_.scalar_type()));
  }

  /// R, of each row (n, m), but nothing less than rounding or too small beside the rest of it.
  Tensor raised_ridge() const {
    const Tensor least = (size_ * system_.resolution).clamp_min(1e-300).unsqueeze(1);
    return at::maximum(system_.ridge, at::maximum(least, system_.ridge.max() * smallest_ridge));
  }

  /// |r| Q y, for y (n, k).
  Tensor vectors_from(const Tensor& y) const { return vectors(y) * length_; }

 private:
  /// Beside the largest, so that what is divided by R's root keeps half of its digits.
  static constexpr double smallest_ridge = 1e-8;

  Tensor coordinates(const Tensor& x) const { return basis_.matmul(x.unsqueeze(2)).squeeze(2); }
  Tensor vectors(const Tensor& y) const { return y.unsqueeze(1).matmul(basis_).squeeze(1); }

  /// By the residual of conjugate gradients, the product of couplings over pivots of T, and where
  /// what is new is rounding.
  void leave_finished(const Tensor& diagonal, const Tensor& beyond) {
    size_ = at::maximum(size_, diagonal.abs() + beyond);
    const Tensor rounding = size_ * (4 * system_.resolution);
    Tensor pivot = diagonal;
    if (!couplings_.empty()) pivot = pivot - couplings_.back().square() / pivot_;
    pivot_ = at::maximum(pivot, at::maximum(rounding.clamp_min(1e-300), system_.ridge.min()));
    left_ = left_ * beyond / pivot_;
    active_ = active_ & (left_ > system_.tolerance) & (beyond > rounding);
  }

  CovarianceSystem system_;
  Tensor length_, active_, next_, basis_;
  Tensor left_, size_, pivot_;  ///< (n): the residual, the largest of h, the last pivot
  std::vector<Tensor> columns_, couplings_;
};

/// 1/w of eigenvalues w (n, k) of C + R in units of R, and less where w < 1, as no covariance has.
Tensor inverse_weights(const Tensor& w) {
  return at::where(w >= 1, w.reciprocal(), w.clamp_min(0));
}

}  // namespace

CovarianceSolution solve_covariance_system(const std::function<Tensor(const Tensor&)>& product,
                                           const Tensor& r, const CovarianceSystem& system) {
  KrylovSpace space(r, system);
  const int64_t most = std::min(system.iterations, r.size(1));
  while (space.dimension() < most && space.open()) space.extend(product);
  if (space.dimension() == 0) return {at::zeros_like(r), 0};
  const Tensor ridge = space.raised_ridge();
  const Tensor root = std::get<0>(at::linalg_cholesky_ex(space.projected(ridge, true)));
  const Tensor total = space.matrix(false) + space.projected(ridge - system.ridge, false);
  // What is not finite stays so in the vectors; a matrix of it has no eigenvectors to find.
  const Tensor relative = solve_lower(root, solve_lower(root, total).transpose(1, 2)).nan_to_num(0, 0, 0);
  const auto [values, vectors] = at::linalg_eigh(relative);
  const Tensor first =
      solve_lower(root, at::eye(space.dimension(), 1, r.options()).expand_as(root.narrow(2, 0, 1)));
  const Tensor in_vectors = inverse_weights(values).unsqueeze(2) * vectors.transpose(1, 2).matmul(first);
  Tensor y = at::linalg_solve_triangular(root.transpose(1, 2), vectors.matmul(in_vectors), /*upper=*/true);
  const Tensor c = space.matrix(true) - space.projected(system.ridge.expand_as(r), false);
  const Tensor image = solve_lower(root, c.matmul(y));
  y = y / (image.norm(2, {1}, true) / first.norm(2, {1}, true)).clamp_min(1);
  return {space.vectors_from(y.squeeze(2)), space.dimension()};
}

}  // namespace fokker
