#pragma once
#include "fokker/course/verify/evidence.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker::verify {

/// The law of u . x for x from the mixture and a direction u (d).
GaussianMixture projected(const GaussianMixture& law, const Tensor& direction);

/// The axes of R^d and its diagonal, (d + 1, d), of unit length; in one dimension the axis alone.
Tensor axes_and_diagonal(int64_t dimension);

/// Compares samples (n, d) with a mixture: means, covariances, and Kolmogorov's distance along the axes and
/// the diagonal. `error` is the relative error of a variance that is allowed.
void compare_with_mixture(Evidence& evidence, const std::string& when, const Tensor& x,
                          const GaussianMixture& law, double error = 0);

}  // namespace fokker::verify
