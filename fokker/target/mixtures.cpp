// Gaussian mixtures with a name.
#include <numbers>

#include "fokker/target/gaussian_mixture.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

Tensor vector(std::vector<double> values) {
  return at::tensor(values, at::kDouble);
}
Tensor scalar(double value) {
  return at::full({}, value, at::kDouble);
}

std::unique_ptr<Distribution> mixture(const Tensor& weights, const Tensor& means, double variance) {
  return std::make_unique<GaussianMixture>(weights, means, scalar(variance));
}

/// 1/5 N((-5, -5), I) + 4/5 N((5, 5), I), the example of Song and Ermon (2019), section 3.2.
std::unique_ptr<Distribution> two_modes(const TargetParameters&) {
  return mixture(vector({0.2, 0.8}), vector({-5, -5, 5, 5}).reshape({2, 2}), 1);
}

std::unique_ptr<Distribution> four_points(const TargetParameters&) {
  return mixture(at::ones({4}), vector({-15, 1, -5, 15}).unsqueeze(1), 0);
}

std::unique_ptr<Distribution> eight_gaussians(const TargetParameters& p) {
  const Tensor angle = at::arange(8, at::kDouble) * (std::numbers::pi / 4);
  const Tensor means = p["radius"] * at::stack({angle.cos(), angle.sin()}, 1);
  return mixture(at::ones({8}), means, p["deviation"] * p["deviation"]);
}

}  // namespace

std::vector<TargetEntry> mixture_targets() {
  return {
      {"standard-normal",
       "N(0, I)",
       {{"dimension", 2, 1, true}},
       [](const TargetParameters& p) {
         return std::make_unique<GaussianMixture>(GaussianMixture::standard_normal(p.integer("dimension")));
       }},
      {"two-modes", "1/5 N((-5, -5), I) + 4/5 N((5, 5), I)", {}, two_modes},
      {"four-points", "equal weights on -15, 1, -5 and 15", {}, four_points},
      {"eight-gaussians",
       "eight equal Gaussians on a circle",
       {{"radius", 4, 0}, {"deviation", 0.5, 0}},
       eight_gaussians},
  };
}

}  // namespace fokker
