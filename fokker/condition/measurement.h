#pragma once
#include <functional>
#include <memory>

#include "fokker/condition/operator/operator.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {

class LinearMeasurement;

/// What is known of each row of a batch: y_i, and how it came from x_0 of row i. One of your own says
/// `log_likelihood`, `residual`, `select`, `rows` and `event_shape`; gradients are libtorch's.
class Measurement {
 public:
  virtual ~Measurement() = default;
  /// How many rows were measured.
  virtual int64_t rows() const = 0;
  /// Of x_0.
  virtual const std::vector<int64_t>& event_shape() const = 0;
  /// The measurement whose row i is row index[i] (int64) of this one.
  virtual std::shared_ptr<const Measurement> select(const Tensor& index) const = 0;
  /// log p(y_i | x_0 = x_i) in nats, (n) float64, with its constant where there is one; records gradients.
  /// With `variance` v > 0: of x_0 ~ N(x_i, v I) in place of x_i, exactly so of a linear measurement; of
  /// others something that is flatter the larger v is, and exact at v = 0, as a particle method's twist
  /// needs.
  virtual Tensor log_likelihood(const Tensor& x, double variance = 0) const = 0;
  /// What is left of y_i, (n, m) float64, in units that make its numbers of about one size; records
  /// gradients.
  virtual Tensor residual(const Tensor& x) const = 0;
  /// This measurement where it is linear with Gaussian noise, which many methods need; else null.
  virtual const LinearMeasurement* linear() const { return nullptr; }
};

/// grad_x log p(y_i | x_i), of the shape and type of x (n, event...).
Tensor likelihood_gradient(const Measurement& measurement, const Tensor& x);

/// y = A x_0 + S n, n ~ N(0, I); S = 0 is a measurement without noise, which has no density.
class LinearMeasurement final : public Measurement {
 public:
  /// y: (rows, output...), finite; noise: S, in the units of y. Argument errors: a shape that is not the
  /// operator's, S < 0; with S = 0 a row that lies outside A's range (RowError).
  LinearMeasurement(std::shared_ptr<const LinearOperator> a, const Tensor& y, double noise);

  int64_t rows() const override { return y_.size(0); }
  const std::vector<int64_t>& event_shape() const override { return a_->input_shape(); }
  std::shared_ptr<const Measurement> select(const Tensor& index) const override;
  /// N(y; A x, S^2 I + v A A^T). Argument error where that is singular.
  Tensor log_likelihood(const Tensor& x, double variance = 0) const override;
  /// y - A x, flattened.
  Tensor residual(const Tensor& x) const override;
  const LinearMeasurement* linear() const override { return this; }

  const LinearOperator& a() const { return *a_; }
  const std::shared_ptr<const LinearOperator>& shared_operator() const { return a_; }
  /// (rows, output...) float64.
  const Tensor& y() const { return y_; }
  /// S.
  double noise() const { return noise_; }

 private:
  LinearMeasurement() = default;
  std::shared_ptr<const LinearOperator> a_;
  Tensor y_;
  double noise_ = 0;
};

/// Counts: y_j ~ Poisson(gain (A x_0 + offset + shift_j)_j), as of photons. Rates below `least` gain are
/// continued by the tangent of the logarithm there, so that the gradient leads back.
class PoissonMeasurement final : public Measurement {
 public:
  struct Options {
    double gain = 1;
    double offset = 1;  ///< 1 where x is in [-1, 1]
    double least = 1e-3;
    /// (output...), or undefined for 0: ModelOperator::offset of an operator in the user's units.
    Tensor shift = {};
  };
  /// y: (rows, output...) whole numbers >= 0.
  PoissonMeasurement(std::shared_ptr<const LinearOperator> a, const Tensor& y, const Options& options);

  int64_t rows() const override { return y_.size(0); }
  const std::vector<int64_t>& event_shape() const override { return a_->input_shape(); }
  std::shared_ptr<const Measurement> select(const Tensor& index) const override;
  /// With v each count's part is weighed by n / (n + gain^2 v), n = max(y, 1).
  Tensor log_likelihood(const Tensor& x, double variance = 0) const override;
  /// (y - rate) / sqrt(max(y, 1)).
  Tensor residual(const Tensor& x) const override;

 private:
  PoissonMeasurement() = default;
  /// gain (A x + offset + shift), (n, m).
  Tensor rate(const Tensor& x) const;
  std::shared_ptr<const LinearOperator> a_;
  Tensor y_;  ///< (rows, m)
  Options options_;
};

/// y = f(x_0) + S n with a differentiable f: x (n, event...) -> (n, m).
class FunctionMeasurement final : public Measurement {
 public:
  using Function = std::function<Tensor(const Tensor& x)>;
  /// y: (rows, m); noise > 0; slope: roughly the size of df/dx.
  FunctionMeasurement(Function f, std::vector<int64_t> event, const Tensor& y, double noise,
                      double slope = 1);

  int64_t rows() const override { return y_.size(0); }
  const std::vector<int64_t>& event_shape() const override { return event_; }
  std::shared_ptr<const Measurement> select(const Tensor& index) const override;
  /// With v of noise S^2 + slope^2 v.
  Tensor log_likelihood(const Tensor& x, double variance = 0) const override;
  Tensor residual(const Tensor& x) const override;

 private:
  FunctionMeasurement() = default;
  Function f_;
  std::vector<int64_t> event_;
  Tensor y_;
  double noise_ = 1, slope_ = 1;
};

/// The law of x_0 given row `row` of the measurement, where x_0 ~ prior (flattened): a mixture again, exactly
/// (posterior, target/mixture_posterior.h).
GaussianMixture exact_posterior(const GaussianMixture& prior, const LinearMeasurement& measurement,
                                int64_t row = 0);

}  // namespace fokker
