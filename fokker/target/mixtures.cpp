// Gaussian mixtures with a name.
#include <numbers>

#include "fokker/target/gaussian_mixture.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
Tensor scalar(double value) {
  return at::full({}, value, at::kDouble);
}

std::unique_ptr<Distribution> mixture(const Tensor& weights, const Tensor& means, double variance) {
  return std::make_unique<GaussianMixture>(weights, means, scalar(variance));
}

/// 1/5 N((-5, -5), I) + 4/5 N((5, 5), I), the example of Song and Ermon (2019), section 3.2.
std::unique_ptr<Distribution> two_modes(Spec&) {
  return mixture(vector({0.2, 0.8}), vector({-5, -5, 5, 5}).reshape({2, 2}), 1);
}

std::unique_ptr<Distribution> four_points(Spec&) {
  return mixture(at::ones({4}), vector({-15, 1, -5, 15}).unsqueeze(1), 0);
}

std::unique_ptr<Distribution> eight_gaussians(Spec& p) {
  const Tensor angle = at::arange(8, at::kDouble) * (std::numbers::pi / 4);
  const double radius = p.number("radius", 4, 0), deviation = p.number("deviation", 0.5, 0);
  const Tensor means = radius * at::stack({angle.cos(), angle.sin()}, 1);
  return mixture(at::ones({8}), means, deviation * deviation);
}

std::unique_ptr<Distribution> standard_normal(Spec& p) {
  return std::make_unique<GaussianMixture>(GaussianMixture::standard_normal(p.integer("dimension", 2, 1)));
}

}  // namespace

std::vector<TargetRegistry::Entry> mixture_targets() {
  return {
      {"standard-normal", "N(0, I)", standard_normal},
      {"two-modes", "1/5 N((-5, -5), I) + 4/5 N((5, 5), I)", two_modes},
      {"four-points", "equal weights on -15, 1, -5 and 15", four_points},
      {"eight-gaussians", "eight equal Gaussians on a circle", eight_gaussians},
  };
}

}  // namespace fokker
