#include "cli/sampling.h"

#include "cli/output.h"
#include "cli/registry.h"
#include "cli/run/prior.h"
#include "fokker/train/defaults.h"
#include "fokker/train/sample_table.h"

namespace fokker::cli {
namespace {

/// From 5 to 20 evaluations nearest to the flow or not to be told from the nearest, of points and of a
/// network's images (docs/choosing-a-sampler.md).
constexpr const char* default_sampler = "unipc:order=3";

/// Of a table with a schema its own where the method takes any, else the method's.
TimeGrid grid_of(const SampleOptions& o, const SamplerChoice& choice, const RunFrame& frame) {
  const bool any = !choice.sampler->adaptive() && choice.steps_set_by.empty() &&
                   (!choice.sampler->needs_sde() || frame.process.schedule()->sde_end() >= 1);
  if (frame.table && o.grid.empty() && any)
    return table_grid(frame.process, o.steps > 0 ? o.steps : choice.steps);
  return make_grid(choice, frame.process, o.grid, o.steps);
}

/// Where a grid begins; a method that uses f and g begins where they are finite, and that is meant as 1.
double begin_of(const TimeGrid& grid) {
  const double first = grid.times().front();
  return first > 0.99 ? 1 : first;
}

}  // namespace

WatchedRun::WatchedRun(const SampleOptions& o, const RunFrame& frame)
    : choice_(make_sampler(o.sampler.empty() ? default_sampler : o.sampler, frame.process)),
      grid_(grid_of(o, choice_, frame)),
      block_(o.batch > 0       ? o.batch
             : frame.block > 0 ? frame.block
                               : usual_batch(frame.event)) {
  if (frame.watched) {
    progress_.emplace("sampling", (frame.rows + block_ - 1) / block_ * grid_.steps());
    observers_.emplace_back([this](const Observation& seen) {
      if (seen.step > 0) progress_->update(++done_);
    });
  }
  if (o.trajectory.empty()) return;
  const auto kept = o.trajectory_times.empty()
                        ? every_step(grid_.steps(), o.trajectory_every)
                        : steps_at(grid_, parse_numbers("trajectory-times", o.trajectory_times));
  observers_.push_back(states_.emplace(o.trajectory, frame.rows, kept, frame.to_user).observer());
}

void WatchedRun::finish() {
  if (progress_) progress_->finish();
  if (states_) states_->finish();
}

Json judge_prior(const GaussianProcess& process, double spread, const TimeGrid& grid) {
  const PriorFit fit = prior_fit(process, spread, begin_of(grid));
  warn_of_prior(process, spread, fit, "samples");
  return prior_record(process, spread, fit);
}

Samples run_kernel(const SampleOptions& o, const KernelChoice& choice, const Distribution& law,
                   const Tensor& start, const ToUserUnits& to_user) {
  check_output_holds(o.out, start.sizes().slice(1));
  ChainOptions options{.steps = o.steps > 0 ? o.steps : 1000, .observers = {}};
  options.block = o.batch > 0 ? o.batch : start.dim() == 4 ? 64 : 4096;
  Progress progress("sampling", ((start.size(0) + options.block - 1) / options.block) * options.steps);
  int64_t done = 0;
  options.observers.emplace_back([&](const Observation& seen) {
    if (seen.step > 0) progress.update(++done);
  });
  std::optional<TrajectoryFile> states;
  if (!o.trajectory.empty()) {
    states.emplace(o.trajectory, start.size(0), every_step(options.steps, o.trajectory_every), to_user);
    options.observers.push_back(states->observer());
  }
  const NoiseSource noise = Rng(o.common.seed).stream("sampler").noise_source(start.scalar_type());
  const ChainRun run = run_chain(*choice.kernel, law, start, noise, options);
  progress.finish();
  if (states) states->finish();
  return {.rows = {.values = to_user(run.x)}, .evaluations = run.evaluations, .acceptance = run.acceptance};
}

}  // namespace fokker::cli
