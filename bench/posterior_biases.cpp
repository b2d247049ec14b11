// The bias of each posterior sampler on Gaussian mixtures, against the exact posterior: a table in Markdown.
//   posterior_biases [draws] [steps] [dimension] [operator]      without the last two: 2, 10 and 100, and all
#include <cstdio>
#include <cstdlib>

#include "fokker/condition/operator/operators.h"
#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/error.h"
#include "fokker/core/runtime.h"
#include "fokker/denoise/analytic.h"
#include "fokker/evaluate/posterior_error.h"

using namespace fokker;

namespace {

/// Four modes of about unit deviation in all, each with a covariance of its own.
GaussianMixture prior_of(int64_t d, uint64_t seed) {
  const Rng rng = Rng(seed).stream("prior");
  const Tensor means = 0.8 * rng.stream("means").normal({4, d}, {}, at::kDouble);
  const Tensor root =
      rng.stream("root").normal({4, d, d}, {}, at::kDouble) * std::sqrt(0.25 / static_cast<double>(d));
  const Tensor covariances = root.matmul(root.transpose(1, 2)) + 0.05 * at::eye(d, at::kDouble);
  return GaussianMixture(at::tensor({0.4, 0.3, 0.2, 0.1}, at::kDouble), means, covariances);
}

struct Operation {
  std::string name;
  std::shared_ptr<const LinearOperator> a;
};

std::vector<Operation> operations(int64_t d, uint64_t seed) {
  const Tensor half = at::arange(d, at::kLong) < (d + 1) / 2;
  const int64_t m = std::max<int64_t>(1, d / 5);
  const Tensor projections =
      Rng(seed).stream("projections").normal({m, d}, {}, at::kDouble) / std::sqrt(static_cast<double>(d));
  std::vector<Operation> all{
      {"half seen", std::make_shared<MaskOperator>(half)},
      {"projections", std::make_shared<MatrixOperator>(projections, std::vector<int64_t>{d})}};
  if (d > 2) all.push_back({"all seen", std::make_shared<MaskOperator>(at::ones({d}, at::kBool))});
  return all;
}

void print_line(int64_t d, const Operation& op, uint64_t seed, const std::string& method, int64_t draws,
                int64_t steps) {
  const double noise = 0.3;
  const GaussianMixture prior = prior_of(d, seed);
  const Tensor x = prior.sample(1, Rng(seed).stream("truth"));
  const Tensor y =
      op.a->apply(x) + noise * Rng(seed).stream("noise").normal({1, op.a->measured()}, {}, at::kDouble);
  const LinearMeasurement seen(op.a, y, noise);
  const GaussianMixture exact = exact_posterior(prior, seen);
  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  const PosteriorSamples found =
      make_posterior_sampler(method)->sample(denoiser, seen, posterior_grid(denoiser.process(), steps),
                                             {.draws = draws, .rng = Rng(seed), .type = at::kDouble});
  const PosteriorError error = posterior_error(found.x[0], found.log_weights[0], exact, Rng(seed));
  std::printf(
      "| %3ld | %-11s | %ld | %-23s | %6.3f | %6.3f | %+6.3f | %6.3f | %6.3f (%.3f) | %7.0f | %4ld + %4ld "
      "|\n",
      d, op.name.c_str(), seed, method.c_str(), error.mean, error.covariance, error.variance, error.weights,
      error.sliced_wasserstein, error.sliced_wasserstein_exact, found.ess[0].item<double>(),
      found.evaluations, found.gradients);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t draws = argc > 1 ? std::atoll(argv[1]) : 4096, steps = argc > 2 ? std::atoll(argv[2]) : 100,
                only = argc > 3 ? std::atoll(argv[3]) : 0;
  const std::string only_operator = argc > 4 ? argv[4] : "";
  std::printf(
      "| d | operator | seed | method | mean | covariance | variance | weights | sliced W2 (exact's own) | "
      "ess | "
      "calls + gradients |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  try {
    for (const int64_t d : only > 0 ? std::vector<int64_t>{only} : std::vector<int64_t>{2, 10, 100})
      for (const uint64_t seed : {0, 1})
        for (const Operation& op : operations(d, seed)) {
          if (!only_operator.empty() && op.name != only_operator) continue;
          for (const char* method :
               {"replacement", "replacement:resample=10", "ddnm", "dps", "pigdm", "mmps", "gibbs", "tds"})
            print_line(d, op, seed, method, draws, steps);
        }
  } catch (const Error& error) {
    std::fprintf(stderr, "posterior_biases: %s\n", error.what());
    return 1;
  }
  return 0;
}
