#include "fokker/condition/method/gibbs.h"

#include <algorithm>

#include "fokker/condition/method/reverse_steps.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

/// The grid from the noise level sigma/alpha = rho down: its times below that, after that of rho itself.
TimeGrid grid_below(const GaussianProcess& process, const TimeGrid& grid, double rho) {
  const double t = process.schedule()->time_of_log_snr(-2 * std::log(rho));
  std::vector<double> times{t};
  for (const double s : grid.times())
    if (s < t) times.push_back(s);
  return times.size() > 1 ? TimeGrid(times) : TimeGrid({t, 0});
}

}  // namespace

Gibbs::Gibbs(Options options) : options_(options) {
  check(options.iterations > 0, "gibbs: expected iterations > 0 but received {}", options.iterations);
  check(options.smallest > 0 && options.largest >= options.smallest,
        "gibbs: expected 0 < smallest <= largest but received {} and {}", options.smallest, options.largest);
}

void Gibbs::check_measurement(const Measurement& measurement) const {
  linear_only(measurement, name());
}

double Gibbs::level(int64_t iteration) const {
  const auto half = static_cast<double>(std::max<int64_t>(1, options_.iterations / 2));
  const double progress = std::min(1.0, static_cast<double>(iteration) / half);
  return options_.largest * std::pow(options_.smallest / options_.largest, progress);
}

PosteriorDraw Gibbs::draw(const PosteriorBlock& block) const {
  const LinearMeasurement& seen = linear_only(block.measurement, name());
  const LinearOperator& a = seen.a();
  const GaussianProcess& process = block.process();
  const double noise_variance = seen.noise() * seen.noise();
  const auto measured = [&](int64_t step, uint32_t draw) {
    return step_noise(block, seen.y().to(block.start.options()), step, name())(draw).to(at::kDouble);
  };
  const double deviation = block.options.data_deviation;
  PosteriorDraw run{.x = block.estimate(block.start, block.grid.times().front()).denoised(),
                    .log_weights = {},
                    .evaluations = 1};
  int64_t index = 0;
  for (int64_t i = 0; i < options_.iterations; ++i) {
    const double rho = level(i) * deviation;
    // z ~ N(x, rho^2 I) given y.
    const Tensor free = run.x + step_noise(block, run.x, index, name())(0) * rho;
    const Tensor gap =
        seen.y().to(free.device()) + measured(index, 1) * seen.noise() - a.apply(free.to(at::kDouble));
    const Tensor z =
        free + a.adjoint(a.solve(gap, rho * rho, noise_variance) * (rho * rho)).to(free.scalar_type());
    ++index;
    const TimeGrid below = grid_below(process, block.grid, rho);
    Tensor x = z * process.alpha(below.times().front());
    for (const ReverseStep& step : reverse_steps(process, below)) {
      check_stop();
      x = x * step.state + block.estimate(x, step.t).denoised() * step.data;
      if (step.variance > 0) x = x + step_noise(block, x, index, name())(0) * std::sqrt(step.variance);
      ++index, ++run.evaluations;
    }
    run.x = x;
  }
  return run;
}

}  // namespace fokker
