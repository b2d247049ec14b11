// Methods for inverse problems against the exact posterior of a mixture: posterior_methods [DIMENSION
// [SEEDS]]. docs/inverse-problems.md has its table for 2, 10 and 100 dimensions.
#include <fokker/fokker.h>

#include <cstdlib>

using namespace fokker;

/// Three modes; in more than two dimensions they differ in the others too.
GaussianMixture prior_of(int64_t d) {
  Tensor means = at::zeros({3, d}, at::kDouble);
  const double plane[3][2] = {{-1.2, 0.8}, {1.2, 0.6}, {0.1, -1.2}};
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t j = 0; j < 2; ++j) means[k][j] = plane[k][j];
  if (d > 2) means.slice(1, 2).copy_(Rng(5).normal({3, d - 2}, {}, at::kDouble) / std::sqrt(double(d)));
  const auto row = [](std::vector<double> v) { return at::tensor(v, at::TensorOptions(at::kDouble)); };
  return GaussianMixture(row({0.5, 0.3, 0.2}), means, row({0.1, 0.15, 0.1}));
}

/// Its draws, weighted, against the exact law.
void compare(const PosteriorSamples& found, const std::string& name, const GaussianMixture& exact,
             uint64_t seed) {
  const Tensor w = found.log_weights[0].exp(), x = found.x[0], mean = w.matmul(x);
  const Tensor shares = w.unsqueeze(0).matmul(exact.responsibilities(x)).squeeze(0);
  const Tensor variance = w.matmul((x - mean).square());
  const int64_t n = x.size(0);
  const Tensor draws = equally_weighted(found, n, Rng(seed))[0];
  fmt::print("{:<24} seed {}  weights {:.3f}  mean {:.3f}  variance x {:.2f}  distance {:.3f}\n", name, seed,
             (shares - exact.weights()).abs().max().item<double>(),
             (mean - exact.mean()).norm().item<double>(),
             (variance.sum() / exact.covariance().trace()).item<double>(),
             sliced_wasserstein(draws, exact.sample(n, Rng(seed).stream("other")), 128, Rng(0)));
}

int main(int count, char** words) try {
  const int64_t d = count > 1 ? std::atoi(words[1]) : 2, draws = count > 1 ? 4096 : 256;
  const uint64_t seeds = count > 2 ? std::strtoull(words[2], nullptr, 10) : 1;
  const GaussianMixture prior = prior_of(d);
  // y: the first coordinate and a projection on all, with noise 0.3.
  Tensor a = at::zeros({2, d}, at::kDouble);
  a[0][0] = 1;
  a[1].fill_(1 / std::sqrt(double(d)));
  const auto matrix = std::make_shared<MatrixOperator>(a, std::vector<int64_t>{d});
  const LinearMeasurement seen(matrix, at::zeros({1, 2}, at::kDouble), 0.3);
  const GaussianMixture exact = exact_posterior(prior, seen);

  const AnalyticDenoiser denoiser(prior, VariancePreserving{});
  const TimeGrid grid = posterior_grid(denoiser.process(), count > 1 ? 100 : 30);
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    PosteriorSamples direct{.x = exact.sample(draws, Rng(seed)).unsqueeze(0),
                            .log_weights = at::full({1, draws}, -std::log(double(draws)), at::kDouble)};
    compare(direct, "exact", exact, seed);
    for (const char* name : {"replacement", "replacement:resample=10", "ddnm", "dps",
                             "dps:step=0.1,form=squared", "pigdm", "mmps", "gibbs", "tds"})
      compare(make_posterior_sampler(name)->sample(denoiser, seen, grid,
                                                   {.draws = draws, .rng = Rng(seed), .type = at::kDouble}),
              name, exact, seed);
  }
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "posterior_methods: %s\n", error.what());
  return static_cast<int>(error.kind());
}
