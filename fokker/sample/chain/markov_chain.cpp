#include "fokker/sample/chain/markov_chain.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/stop.h"
#include "fokker/sample/step/draws.h"

namespace fokker {
namespace {

constexpr uint64_t draws_per_link = 4;

ChainState run_block(const MarkovKernel& kernel, const Distribution& target, const Tensor& x, int64_t first,
                     const NoiseSource& noise, const ChainOptions& options) {
  ChainState state{.x = x, .velocity = {}, .score = {}, .log_density = {}};
  const auto noise_of = [&](int64_t step) {
    return draws_of_step(noise, x, first, step, draws_per_link, kernel.name());
  };
  const auto observe = [&](int64_t step) {
    for (const auto& observer : options.observers) observer({first, step, 0.0, state.x});
  };
  kernel.start(target, state, noise_of(0));
  observe(0);
  for (int64_t step = 1; step <= options.steps; ++step) {
    check_stop();
    kernel.step(target, state, noise_of(step));
    // Before the target sees it: densities take squares and need not cope with infinity.
    if (!state.x.square().isfinite().all().item<bool>())
      fail(ErrorKind::failed, "{}: a chain left the range of numbers at step {}; lower the step size",
           kernel.name(), step);
    observe(step);
  }
  return state;
}

}  // namespace

void MarkovKernel::start(const Distribution& target, ChainState& state, const ChainNoise& noise) const try {
  do_start(target, state, noise);
} catch (...) {
  detail::throw_as_error();
}

void MarkovKernel::step(const Distribution& target, ChainState& state, const ChainNoise& noise) const try {
  do_step(target, state, noise);
} catch (...) {
  detail::throw_as_error();
}

ChainRun run_chain(const MarkovKernel& kernel, const Distribution& target, const Tensor& x,
                   const NoiseSource& noise, const ChainOptions& options) try {
  check(x.dim() >= 2, "run_chain: expected x of shape (n, event...) but received {}", shape_string(x));
  check(event_size(x.sizes()) == target.dimension(), "run_chain: expected rows of {} numbers but received {}",
        target.dimension(), shape_string(x));
  check(options.steps > 0, "run_chain: expected steps > 0 but received {}", options.steps);
  check(options.block > 0, "run_chain: expected block > 0 but received {}", options.block);
  check(noise != nullptr, "{}: this kernel draws noise, but no noise source was given", kernel.name());
  const GradientMode no_gradients(false);
  ChainRun run;
  std::vector<Tensor> blocks;
  int64_t accepted = 0, proposed = 0;
  for (int64_t row = 0; row < x.size(0); row += options.block) {
    const int64_t rows = std::min(options.block, x.size(0) - row);
    const ChainState state =
        run_block(kernel, target, x.narrow(0, row, rows), options.first_sample + row, noise, options);
    blocks.push_back(state.x);
    run.evaluations = state.evaluations;
    accepted += state.accepted;
    proposed += state.proposed;
  }
  run.x = blocks.empty() ? x : at::cat(blocks);
  if (proposed > 0) run.acceptance = static_cast<double>(accepted) / static_cast<double>(proposed);
  return run;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
