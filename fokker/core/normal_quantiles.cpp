#include "fokker/core/normal_quantiles.h"

#include <numbers>

namespace fokker {

Tensor normal_quantiles(const Tensor& u) {
  return std::numbers::sqrt2 * at::erfinv(2 * u - 1);
}

}  // namespace fokker
