// A mixture through a normalisation: densities differ by its Jacobian.
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "fokker/data/normalisation.h"
#include "fokker/denoise/analytic.h"

namespace fokker {
namespace {

TEST(InModelSpace, KeepsTheDensity) {
  const Tensor covariance = at::tensor({2.0, 0.7, 0.7, 0.5}, at::kDouble).reshape({2, 2});
  const GaussianMixture mixture(at::tensor({0.3, 0.7}, at::kDouble),
                                at::tensor({30.0, -4.0, 33.0, 5.0}, at::kDouble).reshape({2, 2}),
                                at::stack({covariance, 0.5 * covariance}));
  const Tensor rows = mixture.sample(500, Rng(3));
  for (const auto kind : {NormalisationKind::standardise, NormalisationKind::whiten}) {
    const Normalisation normalisation = Normalisation::fit(rows, kind);
    const GaussianMixture seen = in_model_space(mixture, normalisation);
    const Tensor there =
        seen.log_density(normalisation.apply(rows, at::kDouble)) + normalisation.log_abs_det();
    EXPECT_LT((there - mixture.log_density(rows)).abs().max().item<double>(), 1e-9);
  }
}

}  // namespace
}  // namespace fokker
