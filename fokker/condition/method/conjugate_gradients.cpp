#include "fokker/condition/method/conjugate_gradients.h"

namespace fokker {

ConjugateGradients conjugate_gradients(const std::function<Tensor(const Tensor&)>& product, const Tensor& r,
                                       int64_t iterations, double tolerance) {
  ConjugateGradients result{at::zeros_like(r)};
  Tensor residual = r, direction = r, square = r.square().sum(1, true);
  const Tensor enough = square * (tolerance * tolerance);
  Tensor active = square > 0;
  for (int64_t i = 0; i < iterations && active.any().item<bool>(); ++i) {
    const Tensor image = product(direction);
    ++result.iterations;
    const Tensor curvature = (direction * image).sum(1, true);
    active = active & (curvature > 0);
    const auto where_active = [&](const Tensor& ratio) {
      return at::where(active, ratio, at::zeros_like(ratio));
    };
    const Tensor one = at::ones_like(curvature);
    const Tensor length = where_active(square / at::where(active, curvature, one));
    result.solution = result.solution + length * direction;
    residual = residual - length * image;
    const Tensor next = residual.square().sum(1, true);
    direction = residual + where_active(next / at::where(active, square, one)) * direction;
    square = next;
    active = active & (square > enough);
  }
  return result;
}

}  // namespace fokker
