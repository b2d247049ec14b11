#pragma once
#include <vector>

#include "fokker/target/gaussian_mixture.h"

namespace fokker::verify {

/// sum_c w_c N(m_c, v_c) on the line and what noise makes of it, x = alpha x_0 + sigma eps, with S3's
/// formulas (section 3.2) written out: the reference that the library's mixtures are compared with. Float64.
class LineMixture {
 public:
  /// Weights sum to one; variances may be zero where sigma > 0.
  LineMixture(const std::vector<double>& weights, const std::vector<double>& means,
              const std::vector<double>& variances);
  /// Equal weights on S3's four points -15, 1, -5, 15.
  static LineMixture four_points() { return {{0.25, 0.25, 0.25, 0.25}, {-15, 1, -5, 15}, {0, 0, 0, 0}}; }
  /// Of a law of the library on the line.
  static LineMixture of(const GaussianMixture& law);
  /// The same law in the library.
  GaussianMixture mixture() const;
  double mean() const;
  double variance() const;

  /// The law of alpha x_0 + sigma eps: log density, distribution function and d log q / dx at x (n).
  Tensor log_density(const Tensor& x, double alpha = 1, double sigma = 0) const;
  Tensor distribution(const Tensor& x, double alpha = 1, double sigma = 0) const;
  Tensor score(const Tensor& x, double alpha = 1, double sigma = 0) const;
  /// E[eps | x] = sum_c pi_c(x) sigma (x - alpha m_c) / (alpha^2 v_c + sigma^2).
  Tensor noise(const Tensor& x, double alpha, double sigma) const;

 private:
  struct Components {
    Tensor log_terms;  ///< log of w_c N(x; alpha m_c, C_c), (n, k)
    Tensor pulls;      ///< (alpha m_c - x) / C_c, (n, k)
  };
  Components components(const Tensor& x, double alpha, double sigma) const;
  Tensor weights_, means_, variances_;  // (k)
};

}  // namespace fokker::verify
