// Simulation-based inference: the law of parameters given what a simulator made of them.
#include <cstdio>

#include "fokker/fokker.h"

using namespace fokker;

int main() {
  // theta ~ N(0, I), x = A theta + 0.5 noise, so that the posterior is known: normal, of covariance
  // C = (I + 4 A'A)^-1 and mean 4 C A' x.
  const Rng rng(0);
  const Tensor a = at::tensor({1.0, 0.5, -0.5, 1.5}, at::TensorOptions(at::kDouble)).view({2, 2});
  const Tensor theta = rng.stream("theta").normal({20'000, 2}, {}, at::kDouble);
  const Tensor x = theta.mm(a.t()) + 0.5 * rng.stream("noise").normal({20'000, 2}, {}, at::kDouble);
  const Dataset pairs{.values = at::cat({theta, x}, 1), .columns = {"a", "b", "x", "y"}};

  Recipe recipe{.condition = {"x", "y"}};
  recipe.options.steps = 800;
  const Model posterior = train(pairs, recipe, Rng(1));

  const Tensor seen = at::tensor({1.0, -0.5}, at::TensorOptions(at::kDouble)).view({1, 2});
  const Tensor draws = sample(posterior, 10'000, Rng(2), {.conditions = seen}).values;
  const Tensor covariance = at::linalg_inv(at::eye(2, at::kDouble) + 4 * a.t().mm(a));
  const Tensor mean = 4 * seen.mm(a).mm(covariance);
  const double root = std::sqrt(covariance[0][0].item<double>());
  std::printf("posterior: a = %.3f ± %.3f; Bayes' rule says %.3f ± %.3f\n",
              draws.select(1, 0).mean().item<double>(), draws.select(1, 0).std().item<double>(),
              mean[0][0].item<double>(), root);
}
