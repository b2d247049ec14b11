#include "fokker/sample/integrate.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/denoise/guidance.h"
#include "fokker/sample/step/draws.h"

namespace fokker {
namespace {

void check_run(const Sampler& sampler, const TimeGrid& grid) {
  check(grid.steps() >= sampler.least_steps(),
        "{}: expected at least {} steps, which its order needs, but received {}", sampler.name(),
        sampler.least_steps(), grid.steps());
  check(!grid.towards_noise() || sampler.order().deterministic,
        "{}: only deterministic methods run from data to noise, and this one draws noise; use the process's "
        "own "
        "transition",
        sampler.name());
}

void check_not_stopped(int64_t rows_done, int64_t step, const TimeGrid& grid) {
  if (stop_requested())
    fail(ErrorKind::stopped, "stopped on request: {} rows are finished, those that follow at step {} of {}",
         rows_done, step, grid.steps());
}

/// The first step of a run from data, where x is x_0 itself.
StepResult leave_data(const Denoiser& denoiser, const Tensor& x, double s) {
  const GaussianProcess& process = denoiser.process();
  const Tensor mean = x * process.alpha(s);
  return {at::add(mean, denoiser.estimate(mean, s).noise(), process.sigma(s))};
}

Integration integrate_block(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid, Tensor x,
                            int64_t first, const IntegrateOptions& options) {
  Integration run;
  const auto observe = [&](int64_t step, double t) {
    for (const auto& observer : options.observers) observer({first, step, t, x, run.evaluations});
    return step > 0 && options.stop && options.stop({first, step, t, x, run.evaluations});
  };
  const auto& times = grid.times();
  std::any history;
  observe(0, times[0]);
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    check_not_stopped(first - options.first_sample, index, grid);
    const auto noise = draws_of_step(options.noise, x, first, index, draws_per_step, sampler.name());
    StepContext context{times[i], times[i + 1], noise, history, index, grid.steps()};
    const bool at_data = grid.towards_noise() && denoiser.process().sigma(times[i]) == 0;
    StepResult result = count_rows_from(first, [&] {
      return at_data ? leave_data(denoiser, x, context.s) : sampler.step(denoiser, x, context);
    });
    x = std::move(result.x);
    run.evaluations += result.evaluations;
    run.rejected += result.rejected;
    const bool last = i + 2 == times.size();
    if (last && options.denoise_end && times.back() == 0 && denoiser.process().sigma(0) > 0) {
      x = denoiser.estimate(x, 0.0).denoised();
      ++run.evaluations;
    }
    if (observe(index + 1, times[i + 1])) break;
  }
  run.x = x;
  return run;
}

}  // namespace

Integration integrate(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid, const Tensor& x,
                      const IntegrateOptions& options) try {
  check(x.dim() >= 2, "integrate: expected x of shape (n, event...) but received {}", shape_string(x));
  check(options.block > 0, "integrate: expected block > 0 but received {}", options.block);
  check_run(sampler, grid);
  const GradientMode no_gradients(false);
  const bool labelled = options.labels.defined();
  check(!labelled || (options.labels.dim() > 0 && options.labels.size(0) == x.size(0)),
        "integrate: expected {} labels, one per row, but received shape {}", x.size(0),
        labelled ? shape_string(options.labels) : "");
  std::shared_ptr<const Denoiser> used = denoiser.frozen();
  if (!used) used = std::shared_ptr<const Denoiser>(std::shared_ptr<void>(), &denoiser);  // lives as long
  Integration whole;
  std::vector<Tensor> blocks;
  for (int64_t row = 0; row < x.size(0); row += options.block) {
    const int64_t rows = std::min(options.block, x.size(0) - row);
    const auto block =
        !labelled ? used
                  : std::make_shared<const GuidedDenoiser>(used, options.labels.narrow(0, row, rows), 1.0);
    Integration part =
        integrate_block(*block, sampler, grid, x.narrow(0, row, rows), options.first_sample + row, options);
    blocks.push_back(part.x);
    whole.evaluations = std::max(whole.evaluations, part.evaluations);
    whole.rejected += part.rejected;
  }
  whole.x = blocks.empty() ? x : blocks.size() == 1 ? blocks[0] : at::cat(blocks);
  return whole;
} catch (...) {
  detail::throw_as_error();
}

Integration generate(const Denoiser& denoiser, const Sampler& sampler, const TimeGrid& grid,
                     IntArrayRef shape, const Rng& rng, at::TensorOptions type,
                     IntegrateOptions options) try {
  check(!grid.towards_noise(),
        "generate: expected a grid from noise to data but received one from t = {} to {}",
        grid.times().front(), grid.times().back());
  const NoiseSource prior = rng.stream("prior").noise_source(type);
  if (!options.noise) options.noise = rng.stream("sampler").noise_source(type);
  const Tensor start = denoiser.process().sample_prior(shape, prior, options.first_sample).to(type);
  return integrate(denoiser, sampler, grid, start, options);
} catch (...) {
  detail::throw_as_error();
}

Observer every_steps(int64_t k, Observer observer) {
  check(k > 0, "every: expected k > 0 but received {}", k);
  return [k, observer = std::move(observer)](const Observation& seen) {
    if (seen.step % k == 0) observer(seen);
  };
}

Observer at_times(std::vector<double> times, Observer observer) {
  return [times = std::move(times), observer = std::move(observer)](const Observation& seen) {
    if (std::find(times.begin(), times.end(), seen.t) != times.end()) observer(seen);
  };
}

Trajectory::Trajectory(int64_t steps, IntArrayRef shape, at::TensorOptions type) try {
  std::vector<int64_t> sizes{steps + 1};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  states_ = at::empty(sizes, type);
} catch (...) {
  detail::throw_as_error();
}

Observer Trajectory::observer() {
  return [this](const Observation& seen) {
    states_[seen.step].narrow(0, seen.first_sample, seen.x.size(0)).copy_(seen.x);
  };
}

}  // namespace fokker
