// What captions claim and no check of the theory measures.
#include <gtest/gtest.h>

#include <cmath>

#include "fokker/course/gallery/compute.h"
#include "fokker/course/gallery/workshop.h"
#include "fokker/sample/method/ode/probability_flow.h"

namespace fokker::gallery {
namespace {

/// s2.figure-4-2: "larger by nine orders of magnitude".
TEST(GalleryClaims, NoiseFillsTheValley) {
  const GaussianMixture data = named_mixture("two-modes");
  const Tensor middle = at::zeros({1, 2}, at::kDouble);
  const double gain = (data.noised(1, 4).log_density(middle) - data.log_density(middle)).item<double>();
  EXPECT_NEAR(gain / std::log(10.0), 9, 0.5);
}

/// s3.sde-film: "at t = 100 the best guess is right for 61 % of them": of 8000, within five standard errors.
TEST(GalleryClaims, ThePointOfAParticleIsSettledLate) {
  const Notebook book;
  const Tensor x0 = book.exact.target().means().repeat({2000, 1});
  const auto chance = [&](double step) {
    const double t = Notebook::time(step);
    const Tensor x = book.process().perturb(x0, Rng(1).normal(x0.sizes(), {}, at::kDouble), t);
    const Tensor guess = book.exact.marginal(t).responsibilities(x).argmax(1);
    return guess.eq(at::arange(4).repeat({2000})).to(at::kDouble).mean().item<double>();
  };
  EXPECT_NEAR(chance(100), 0.61, 5 * std::sqrt(0.61 * 0.39 / 8000));
  EXPECT_GT(chance(20), 0.98);
}

/// s3.ode: paths do not cross, and the quarters of the starts go to the four points in their order: 10 % of a
/// quarter is what starting from N(0, 1) instead of q_200 may move.
TEST(GalleryClaims, TheFlowKeepsTheOrder) {
  const Notebook book;
  const int64_t n = 400;
  const Tensor ranks = (at::arange(n, at::kDouble) + 0.5) / static_cast<double>(n);
  const Tensor start = (std::sqrt(2.0) * at::erfinv(2 * ranks - 1)).unsqueeze(1);
  const Tensor end = sampled_paths(book.exact, Euler(), TimeGrid::uniform(1000), start, Rng(0), 1000)[-1];
  EXPECT_GE(end.diff(1, 0).min().item<double>(), -1e-9);
  for (const double point : {-15.0, -5.0, 1.0, 15.0}) {
    const double share = (end - point).abs().lt(0.5).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(share, 0.25, 0.1) << point;
  }
}

}  // namespace
}  // namespace fokker::gallery
