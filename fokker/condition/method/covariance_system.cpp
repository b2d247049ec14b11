#include "fokker/condition/method/covariance_system.h"

#include <algorithm>
#include <vector>

namespace fokker {
namespace {

/// Rows of zeros where `keep` (n) is false.
Tensor kept_rows(const Tensor& rows, const Tensor& keep) {
  return at::where(keep.unsqueeze(1), rows, at::zeros_like(rows));
}

/// Each row's Lanczos vectors q_j, from r / |r| on, with h = Q^T C Q, upper Hessenberg. A row that is left
/// has vectors of zeros from there on, and its part of h is 0.
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
    Tensor image = kept_rows(product(next_), active_);
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

  /// |r| Q y, for y (n, k).
  Tensor vectors_from(const Tensor& y) const { return vectors(y) * length_; }

 private:
  Tensor coordinates(const Tensor& x) const { return basis_.matmul(x.unsqueeze(2)).squeeze(2); }
  Tensor vectors(const Tensor& y) const { return y.unsqueeze(1).matmul(basis_).squeeze(1); }

  /// By the residual of conjugate gradients, the product of couplings over pivots of T + S^2 I, and where
  /// what is new is rounding.
  void leave_finished(const Tensor& diagonal, const Tensor& beyond) {
    size_ = at::maximum(size_, diagonal.abs() + beyond + system_.ridge);
    const Tensor rounding = size_ * (4 * system_.resolution);
    Tensor pivot = diagonal + system_.ridge;
    if (!couplings_.empty()) pivot = pivot - couplings_.back().square() / pivot_;
    pivot_ = at::maximum(pivot, rounding.clamp_min(std::max(system_.ridge, 1e-300)));
    left_ = left_ * beyond / pivot_;
    active_ = active_ & (left_ > system_.tolerance) & (beyond > rounding);
  }

  CovarianceSystem system_;
  Tensor length_, active_, next_, basis_;
  Tensor left_, size_, pivot_;  ///< (n): the residual, the largest of h, the last pivot
  std::vector<Tensor> columns_, couplings_;
};

/// 1/(v + S^2) of eigenvalues v (n, k) of T, and less where v is not a covariance's.
Tensor inverse_weights(const Tensor& v, const CovarianceSystem& system) {
  const Tensor total = v + system.ridge;
  const Tensor least = (total.amax(1, true) * system.resolution).clamp_min(std::max(system.ridge, 1e-300));
  return at::where(total >= least, total.reciprocal(), total.clamp_min(0) / least / least);
}

}  // namespace

CovarianceSolution solve_covariance_system(const std::function<Tensor(const Tensor&)>& product,
                                           const Tensor& r, const CovarianceSystem& system) {
  KrylovSpace space(r, system);
  const int64_t most = std::min(system.iterations, r.size(1));
  while (space.dimension() < most && space.open()) space.extend(product);
  if (space.dimension() == 0) return {at::zeros_like(r), 0};
  // What is not finite stays so in the vectors; a matrix of it has no eigenvectors to find.
  const auto [values, vectors] = at::linalg_eigh(space.matrix(false).nan_to_num(0, 0, 0));
  const Tensor first = vectors.select(1, 0);
  Tensor y = vectors.matmul((inverse_weights(values, system) * first).unsqueeze(2)).squeeze(2);
  const Tensor image = space.matrix(true).matmul(y.unsqueeze(2)).squeeze(2);
  y = y / image.norm(2, {1}, true).clamp_min(1);
  return {space.vectors_from(y), space.dimension()};
}

}  // namespace fokker
