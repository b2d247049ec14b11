#include "fokker/course/problem/linear_mixture.h"

#include <cmath>

#include "fokker/condition/operator/operators.h"
#include "fokker/core/boundary.h"

namespace fokker {
namespace {

GaussianMixture three_modes(int64_t d) {
  Tensor means = at::zeros({3, d}, at::kDouble);
  const double plane[3][2] = {{-1.2, 0.8}, {1.2, 0.6}, {0.1, -1.2}};
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t j = 0; j < 2; ++j) means[k][j] = plane[k][j];
  if (d > 2)
    means.slice(1, 2).copy_(Rng(5).normal({3, d - 2}, {}, at::kDouble) *
                            (1 / std::sqrt(static_cast<double>(d))));
  const auto row = [](std::initializer_list<double> values) {
    return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble));
  };
  return GaussianMixture(row({0.5, 0.3, 0.2}), means, row({0.1, 0.15, 0.1}));
}

}  // namespace

LinearMeasurement SeenMixture::measurement(int64_t rows) const {
  return LinearMeasurement(a, y.expand({rows, -1}), noise);
}

std::vector<SeenMixture> seen_mixtures(int64_t d) try {
  const GaussianMixture prior = three_modes(d);
  Tensor first = at::zeros({d}, at::TensorOptions(at::kBool)), sums = at::zeros({2, d}, at::kDouble);
  first[0] = true;
  sums[0].slice(0, 0, 2).fill_(1);
  sums[1].fill_(1 / std::sqrt(static_cast<double>(d)));
  const Tensor truth = 0.3 * prior.means().narrow(0, 0, 1);
  std::vector<SeenMixture> all;
  const std::vector<std::shared_ptr<const LinearOperator>> operators = {
      std::make_shared<MaskOperator>(first), std::make_shared<MaskOperator>(at::ones_like(first)),
      std::make_shared<MatrixOperator>(sums, std::vector<int64_t>{d})};
  all.reserve(operators.size());
  for (const auto& a : operators) all.push_back({.prior = prior, .a = a, .y = a->apply(truth)});
  return all;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
