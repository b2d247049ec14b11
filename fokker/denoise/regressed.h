#pragma once
#include <memory>

#include "fokker/denoise/denoiser.h"

namespace fokker {

/// What a linear regression says of x_0 given a condition c: B (d, k) that minimises |x_0 - B c|^2 + |B|^2
/// over rows x0 (n, d) and c (n, k), both centred. float64, on the CPU. Argument error for other shapes.
Tensor regression(const Tensor& x0, const Tensor& condition);
/// The same of their sums over rows: c^T c (k, k) and c^T x0 (k, d), float64.
Tensor regression_of_sums(const Tensor& square, const Tensor& product);

/// Takes that part of x_0 out of the inner denoiser's way: with x_0 = B c + r it is asked about
/// x_t - alpha B c, which is r noised alike, and its prediction, of coefficients (data, noise), gains data B
/// c. The same estimate for any B if the inner one is exact; one that is learned has only to learn what is
/// not linear in c, and conditions further out than those of the training are followed in a straight line.
/// Rows without a condition (NaN), and calls without one, are the inner denoiser's.
class RegressedDenoiser final : public DenoiserDecorator {
 public:
  /// Of rows of d numbers. Argument error unless the coefficients are (d, k).
  RegressedDenoiser(std::shared_ptr<const Denoiser> inner, Tensor coefficients);
  Estimate estimate(const Tensor& x, const Times& t, const Tensor& label = {}) const override;

 protected:
  std::shared_ptr<const Denoiser> over(std::shared_ptr<const Denoiser> inner) const override;

 private:
  Tensor shift(const Tensor& x, const Tensor& condition) const;
  Tensor coefficients_;
};

}  // namespace fokker
