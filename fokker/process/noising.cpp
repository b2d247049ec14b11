#include "fokker/process/noising.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {

Tensor noising_paths(const GaussianProcess& process, const Tensor& x0, const std::vector<double>& times,
                     const NoiseSource& noise) try {
  check(!times.empty(), "noising_paths: expected at least one time");
  std::vector<int64_t> shape = x0.sizes().vec();
  shape.insert(shape.begin(), static_cast<int64_t>(times.size()));
  Tensor paths = at::empty(shape, x0.options());
  paths[0] = x0;
  for (size_t i = 1; i < times.size(); ++i) {
    check_stop();
    check(times[i - 1] < times[i], "noising_paths: expected increasing times but {} follows {}", times[i],
          times[i - 1]);
    const TransitionCoefficients step = process.transition(times[i - 1], times[i]);
    const auto row = static_cast<int64_t>(i);
    const Tensor eps = noise(x0.sizes(), {.first_sample = 0, .step = static_cast<uint64_t>(i)});
    paths[row] = step.scale * paths[row - 1] + std::sqrt(step.variance) * eps;
  }
  return paths;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
