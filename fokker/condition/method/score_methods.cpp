// Methods that add a score term to the denoiser and let a sampler run: PiGDM and MMPS.
#include <limits>

#include "fokker/condition/method/covariance_system.h"
#include "fokker/condition/method/likelihood_denoiser.h"
#include "fokker/condition/method/mmps.h"
#include "fokker/condition/method/pigdm.h"
#include "fokker/condition/method/reverse_steps.h"
#include "fokker/core/check.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/samplers.h"

namespace fokker {
namespace {

/// Refuses what is no sampler while the method is made.
void check_sampler(const std::string& sampler) {
  make_sampler(sampler, GaussianProcess(VariancePreserving{}));
}

/// A sampler's run on the prior with the term.
PosteriorDraw run_with_term(const PosteriorBlock& block, const std::string& sampler,
                            const LikelihoodDenoiser::Term& term, const int64_t& gradients) {
  const LikelihoodDenoiser denoiser(block.denoiser, term);
  const Integration run =
      integrate(denoiser, *make_sampler(sampler, block.process()).sampler, block.grid, block.start,
                {.noise = block.noise, .block = block.start.size(0), .labels = block.labels});
  return {.x = run.x, .log_weights = {}, .evaluations = run.evaluations, .gradients = gradients};
}

/// The spacing of numbers about 1 of the tensor's type.
double epsilon_of(const Tensor& x) {
  return x.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon()
                                        : std::numeric_limits<float>::epsilon();
}

/// n measurements of the shape that y's rows have.
std::vector<int64_t> shape_of_rows(int64_t n, const Tensor& y) {
  std::vector<int64_t> shape = y.sizes().vec();
  shape[0] = n;
  return shape;
}

/// The lengths of A's rows (m) float64, where they are few; of many, as of images, which are about alike, 1.
Tensor row_lengths(const LinearMeasurement& seen) {
  constexpr int64_t few = 1024, numbers_at_once = int64_t{1} << 22;
  const int64_t m = seen.a().measured();
  if (m > few) return at::ones({m}, at::kDouble);
  std::vector<Tensor> lengths;
  const int64_t block = std::max<int64_t>(1, numbers_at_once / seen.a().dimension());
  for (int64_t first = 0; first < m; first += block) {
    const int64_t count = std::min(block, m - first);
    const Tensor rows = at::eye(m, at::kDouble).narrow(0, first, count);
    lengths.push_back(seen.a().adjoint(rows.reshape(shape_of_rows(count, seen.y()))).flatten(1).norm(2, {1}));
  }
  return at::cat(lengths);
}

/// What row i of the system of y is divided by, sqrt(S^2 + v l_i^2), so that each y_i varies by about 1 where
/// x_0 given x_t varies by v. Else the short rows would be lost in the rounding of the long ones.
Tensor row_units(const Tensor& lengths, double noise, double v) {
  const Tensor units = (lengths.square() * v + noise * noise).sqrt();
  return at::where(units > 0, units, at::ones_like(units));
}

/// y - A x_0, (n, output...) float64.
Tensor gap_of(const LinearMeasurement& seen, const Tensor& denoised) {
  return seen.y().to(denoised.device()) - seen.a().apply(denoised.detach().to(at::kDouble));
}

}  // namespace

double assumed_variance(const GaussianProcess& process, double t, double deviation) {
  const double a = process.alpha(t) * deviation, s = process.sigma(t);
  return s * s * deviation * deviation / (a * a + s * s);
}

Pigdm::Pigdm(std::string sampler) : sampler_(std::move(sampler)) {
  check_sampler(sampler_);
}

void Pigdm::check_measurement(const Measurement& measurement) const {
  linear_only(measurement, name());
}

PosteriorDraw Pigdm::draw(const PosteriorBlock& block) const {
  const LinearMeasurement& seen = linear_only(block.measurement, name());
  int64_t passes = 0;
  const auto term = [&](const Tensor& x, const Tensor& denoised, double t) {
    const double variance = assumed_variance(block.process(), t, block.options.data_deviation);
    const Tensor weighed = seen.a().solve(gap_of(seen, denoised), variance, seen.noise() * seen.noise());
    ++passes;
    return vector_jacobian_product(denoised, x, seen.a().adjoint(weighed).to(denoised.scalar_type()), false);
  };
  return run_with_term(block, sampler_, term, passes);
}

Mmps::Mmps(Options options) : options_(std::move(options)) {
  check(options_.iterations > 0, "mmps: expected iterations > 0 but received {}", options_.iterations);
  check(options_.tolerance >= 0, "mmps: expected tolerance >= 0 but received {}", options_.tolerance);
  check_sampler(options_.sampler);
}

void Mmps::check_measurement(const Measurement& measurement) const {
  linear_only(measurement, name());
}

PosteriorDraw Mmps::draw(const PosteriorBlock& block) const {
  const LinearMeasurement& seen = linear_only(block.measurement, name());
  const LinearOperator& a = seen.a();
  int64_t passes = 0;
  const Tensor lengths = row_lengths(seen).to(block.start.device());
  const auto term = [&](const Tensor& x, const Tensor& denoised, double t) {
    const double s = block.process().sigma(t), factor = s * s / block.process().alpha(t);
    const Tensor gap = gap_of(seen, denoised);
    const double v = assumed_variance(block.process(), t, block.options.data_deviation);
    const Tensor unit = row_units(lengths, seen.noise(), v);
    const auto back = [&](const Tensor& rows, bool again) {  // J^T A^T
      ++passes;
      const Tensor v = a.adjoint((rows / unit).reshape(gap.sizes())).to(denoised.scalar_type());
      return vector_jacobian_product(denoised, x, v, again);
    };
    const auto product = [&](const Tensor& rows) {  // A V A^T
      return a.apply(back(rows, true).to(at::kDouble)).flatten(1) / unit * factor;
    };
    const GradientMode off(false);
    const CovarianceSystem system{.ridge = (seen.noise() / unit).square(),
                                  .iterations = options_.iterations,
                                  .tolerance = options_.tolerance,
                                  .resolution = epsilon_of(denoised)};
    return back(solve_covariance_system(product, gap.flatten(1) / unit, system).solution, false);
  };
  return run_with_term(block, options_.sampler, term, passes);
}

}  // namespace fokker
