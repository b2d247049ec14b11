#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

/// A A^T = U diag(e) U^T of a linear operator A: what inverses, projections and determinants are made of. The
/// right singular vectors of A are A^T U e^{-1/2}.
class GramSpectrum {
 public:
  virtual ~GramSpectrum() = default;
  /// e: (m) float64, >= 0, in the order of the coordinates of `forward`.
  const Tensor& values() const { return values_; }
  /// U^T r and U c, of rows (n, m) float64.
  virtual Tensor forward(const Tensor& r) const = 0;
  virtual Tensor backward(const Tensor& c) const = 0;

 protected:
  /// Values below `rounding` of the largest count as 0.
  explicit GramSpectrum(const Tensor& values, double rounding = 1e-12);

 private:
  Tensor values_;
};

/// The spectrum where A A^T is diagonal; nothing of it is rounding.
std::unique_ptr<const GramSpectrum> diagonal_spectrum(const Tensor& diagonal);
/// By the eigenvectors of a dense symmetric matrix (m, m).
std::unique_ptr<const GramSpectrum> dense_spectrum(const Tensor& gram);

/// A linear map A from events to measurements. One of your own says the shapes, `do_apply` and `do_adjoint`
/// (or is a FunctionOperator of two lambdas); where A A^T has a structure it overrides `make_spectrum`, which
/// otherwise is found densely. Safe to use from several threads.
///
///   class Sum final : public LinearOperator {          // y = the sum of the event
///    public:
///     explicit Sum(int64_t d) : LinearOperator("sum", {d}, {1}) {}
///    private:
///     Tensor do_apply(const Tensor& x) const override { return x.sum(1, true); }
///     Tensor do_adjoint(const Tensor& r) const override { return r.expand({r.size(0), dimension()}); }
///   };
class LinearOperator {
 public:
  virtual ~LinearOperator() = default;
  LinearOperator(const LinearOperator&) = delete;
  LinearOperator& operator=(const LinearOperator&) = delete;

  const std::string& name() const { return name_; }
  const std::vector<int64_t>& input_shape() const { return input_; }
  const std::vector<int64_t>& output_shape() const { return output_; }
  /// d and m: the numbers of an event and of a measurement.
  int64_t dimension() const;
  int64_t measured() const;

  /// A x: (n, event...) -> (n, output...), in the type of x; records gradients. Argument error for another
  /// shape.
  Tensor apply(const Tensor& x) const;
  /// A^T r: (n, output...) -> (n, event...).
  Tensor adjoint(const Tensor& r) const;

  /// Found once, when it is first asked for. Argument error where it is to be found densely and m > 4096.
  const GramSpectrum& spectrum() const;
  /// Singular values that are not 0.
  int64_t rank() const;
  /// U diag(factors) U^T r, with factors (m) float64 in the order of spectrum().values(); r (n, output...).
  Tensor in_spectrum(const Tensor& r, const Tensor& factors) const;
  /// (gram A A^T + ridge I)^-1 r; where ridge = 0 the pseudo-inverse of gram A A^T.
  Tensor solve(const Tensor& r, double gram, double ridge) const;
  /// A^+ r, the smallest x that fits r best.
  Tensor pseudo_inverse(const Tensor& r) const;
  /// The part of r (n, output...) that no x can produce: r - A A^+ r.
  Tensor out_of_range(const Tensor& r) const;
  /// A as rows (m, d) float64.
  Tensor matrix() const;

 protected:
  /// Argument error for a shape without numbers.
  LinearOperator(std::string name, std::vector<int64_t> input, std::vector<int64_t> output);
  virtual Tensor do_apply(const Tensor& x) const = 0;
  virtual Tensor do_adjoint(const Tensor& r) const = 0;
  virtual std::unique_ptr<const GramSpectrum> make_spectrum() const;

 private:
  std::string name_;
  std::vector<int64_t> input_, output_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const GramSpectrum> spectrum_;
};

/// |<A x, y> - <x, A^T y>| / (|A x| |y| + |x| |A^T y|) for random x and y: about 1e-16 where the adjoint is
/// right.
double adjoint_error(const LinearOperator& a);

}  // namespace fokker
