#include "fokker/sample/adaptive.h"

namespace fokker {

double worst_scaled_error(const Tensor& error, const Tensor& before, const Tensor& after, double atol,
                          double rtol) {
  const Tensor scale =
      at::add(at::maximum(before.abs(), after.abs()) * rtol, at::ones({}, error.options()), atol);
  const Tensor squares = (error / scale).square().flatten(1).mean(1);
  return std::sqrt(squares.max().item<double>());
}

}  // namespace fokker
