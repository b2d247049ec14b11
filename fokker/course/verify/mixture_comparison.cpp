#include "fokker/course/verify/mixture_comparison.h"

#include <cmath>

#include "fokker/course/verify/problems.h"

namespace fokker::verify {

GaussianMixture projected(const GaussianMixture& law, const Tensor& direction) {
  Tensor variances = at::empty({law.components()}, at::kDouble);
  for (int64_t k = 0; k < law.components(); ++k)
    variances[k] = direction.dot(law.component_covariance(k).matmul(direction));
  return GaussianMixture(law.weights(), law.means().matmul(direction).unsqueeze(1), variances);
}

Tensor axes_and_diagonal(int64_t dimension) {
  const Tensor axes = at::eye(dimension, at::kDouble);
  if (dimension == 1) return axes;
  return at::cat(
      {axes, at::full({1, dimension}, 1 / std::sqrt(static_cast<double>(dimension)), at::kDouble)});
}

void compare_with_mixture(Evidence& evidence, const std::string& when, const Tensor& x,
                          const GaussianMixture& law, double error) {
  const int64_t d = law.dimension();
  const Tensor mean = law.mean(), covariance = law.covariance();
  for (int64_t i = 0; i < d; ++i) {
    const double variance = covariance[i][i].item<double>();
    evidence.equal(fmt::format("mean {} {}", i + 1, when), mean_of(x.select(1, i)), mean[i].item<double>(),
                   error * std::sqrt(variance));
    for (int64_t j = 0; j <= i; ++j)
      evidence.equal(fmt::format("covariance {}, {} {}", i + 1, j + 1, when),
                     covariance_of(x.select(1, i), x.select(1, j)), covariance[i][j].item<double>(),
                     error * std::sqrt(variance * covariance[j][j].item<double>()));
  }
  for (const Tensor& u : axes_and_diagonal(d).unbind(0)) {
    const GaussianMixture profile = projected(law, u);
    const auto distribution = [&](const Tensor& v) { return mixture_distribution(profile, v); };
    evidence.same_law(
        fmt::format("Kolmogorov's distance {} along ({:.2g})", when,
                    fmt::join(std::vector<double>(u.data_ptr<double>(), u.data_ptr<double>() + d), ", ")),
        kolmogorov_smirnov(x.matmul(u), distribution),
        0.12 * error * std::sqrt(static_cast<double>(x.size(0))));
  }
}

}  // namespace fokker::verify
