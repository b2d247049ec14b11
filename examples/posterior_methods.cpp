// Methods for inverse problems against the exact posterior of a mixture (docs/inverse-problems.md).
#include <fokker/fokker.h>

using namespace fokker;

int main() try {
  // Two modes in the plane; seen is the sum of the coordinates, with noise 0.3.
  const auto numbers = [](std::vector<double> v) { return at::tensor(v, at::TensorOptions(at::kDouble)); };
  const GaussianMixture prior(numbers({0.6, 0.4}), numbers({-1, 0.5, 1, 0.3}).reshape({2, 2}),
                              numbers({0.1, 0.2}));
  const auto sum = std::make_shared<MatrixOperator>(numbers({1, 1}).unsqueeze(0), std::vector<int64_t>{2});
  const LinearMeasurement seen(sum, numbers({0.4}).unsqueeze(0), 0.3);
  const GaussianMixture exact = exact_posterior(prior, seen);

  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  const TimeGrid grid = posterior_grid(denoiser.process(), 60);
  double error_of_tds = 1;
  for (const char* name : {"replacement", "ddnm", "dps", "pigdm", "mmps", "tds"}) {
    const PosteriorSamples found = make_posterior_sampler(name)->sample(
        denoiser, seen, grid, {.draws = 1000, .rng = Rng(0), .type = at::kDouble});
    const PosteriorError error = posterior_error(found.x[0], found.log_weights[0], exact, Rng(0));
    fmt::print("{:<12} weights {:.3f}  mean {:.3f}  variance {:+.3f}  distance {:.3f} (exact draws {:.3f})\n",
               name, error.weights, error.mean, error.variance, error.sliced_wasserstein,
               error.sliced_wasserstein_exact);
    error_of_tds = error.weights;
  }
  return error_of_tds < 0.06 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "posterior_methods: %s\n", error.what());
  return static_cast<int>(error.kind());
}
