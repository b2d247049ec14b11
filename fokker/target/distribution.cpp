#include "fokker/target/distribution.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {

Tensor Distribution::log_density(const Tensor&) const {
  fail(ErrorKind::argument, "{}: its density is not known in closed form", name());
}
Tensor Distribution::score(const Tensor&) const {
  fail(ErrorKind::argument, "{}: its score is not known in closed form", name());
}
Tensor Distribution::sample(int64_t, const Rng&) const {
  fail(ErrorKind::argument, "{}: has no exact sampler; run a Markov chain on its score instead", name());
}

Tensor Distribution::rows(const Tensor& x) const {
  check(x.dim() >= 1 && x.is_floating_point(),
        "{}: expected floating-point x of shape (n, {}) but received {} {}", name(), dimension(),
        at::toString(x.scalar_type()), shape_string(x));
  check(event_size(x.sizes()) == dimension(), "{}: expected x of shape (n, {}) but received {}", name(),
        dimension(), shape_string(x));
  return x.to(at::kDouble).reshape({x.size(0), dimension()});
}

FunctionDistribution::FunctionDistribution(DistributionFunctions functions)
    : functions_(std::move(functions)) {
  check(functions_.dimension > 0, "{}: expected dimension > 0 but received {}", functions_.name,
        functions_.dimension);
}

Tensor FunctionDistribution::log_density(const Tensor& x) const try {
  if (!functions_.log_density) return Distribution::log_density(x);
  return functions_.log_density(rows(x)).to(x.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

Tensor FunctionDistribution::score(const Tensor& x) const try {
  if (!functions_.score) return Distribution::score(x);
  return functions_.score(rows(x)).reshape(x.sizes()).to(x.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

Tensor FunctionDistribution::sample(int64_t count, const Rng& rng) const try {
  if (!functions_.sample) return Distribution::sample(count, rng);
  check(count >= 0, "{}: expected a sample count >= 0 but received {}", name(), count);
  return functions_.sample(count, rng);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
