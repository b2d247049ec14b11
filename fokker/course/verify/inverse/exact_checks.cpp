// The posterior of a mixture under a linear measurement is a mixture: Bayes' rule by dense matrices.
#include <cmath>
#include <numbers>

#include "fokker/core/error.h"
#include "fokker/course/problem/linear_mixture.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/quadrature.h"

namespace fokker::verify {
namespace {

/// log N(r; 0, C).
double centred_log_density(const Tensor& r, const Tensor& C) {
  const double distance = r.dot(at::linalg_inv(C).matmul(r)).item<double>();
  return -0.5 * (distance + std::get<1>(at::linalg_slogdet(2 * std::numbers::pi * C)).item<double>());
}

void posterior_of_mixtures(const Trial& trial, Evidence& evidence) {
  const std::vector<int64_t> usual = {2, 10, 100}, own = {trial.settings().integer("dims")};
  for (const int64_t d : trial.settings().changed("dims") ? own : usual)
    for (const SeenMixture& of : seen_mixtures(d)) {
      const GaussianMixture exact = exact_posterior(of.prior, of.measurement(1));
      const Tensor a = of.a->matrix(), y = of.y.flatten();
      const double noise = trial.has("noise") ? of.noise : 2 * of.noise;
      Tensor log_weights = at::empty({of.prior.components()}, at::kDouble);
      double worst_mean = 0, worst_covariance = 0;
      for (int64_t k = 0; k < of.prior.components(); ++k) {
        const Tensor C = of.prior.component_covariance(k), m = of.prior.means()[k], cross = C.matmul(a.t());
        const Tensor total = a.matmul(cross) + noise * noise * at::eye(a.size(0), at::kDouble);
        const Tensor gain = cross.matmul(at::linalg_inv(total)), r = y - a.matmul(m);
        log_weights[k] = std::log(of.prior.weights()[k].item<double>()) + centred_log_density(r, total);
        worst_mean = std::max(worst_mean, largest(exact.means()[k] - m - gain.matmul(r)));
        worst_covariance =
            std::max(worst_covariance, largest(exact.component_covariance(k) - C + gain.matmul(cross.t())));
      }
      const std::string where = fmt::format("{} dimensions, {}: ", d, of.a->name());
      evidence.equal(where + "error of the weights", {largest(exact.weights() - log_weights.softmax(0)), 0},
                     0, 1e-10);
      evidence.equal(where + "error of the means", {worst_mean, 0}, 0, 1e-10);
      evidence.equal(where + "error of the covariances", {worst_covariance, 0}, 0, 1e-10);
    }
}

}  // namespace

void add_inverse_exact(Checks& checks) {
  Setting dims = Setting::integer("dims", 10, 2, 100, "dimensions, in place of these");
  dims.usual = "2, 10 and 100";
  checks.push_back({.id = "inverse.posterior",
                    .source = "Bayes' rule",
                    .statement = "A mixture seen through A x + noise has a mixture as its posterior",
                    .measure = posterior_of_mixtures,
                    .ingredients = {{"noise", "the noise of the measurement is taken twice as large"}},
                    .settings = {dims}});
}

}  // namespace fokker::verify
