#include "fokker/evaluate/likelihood.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/stop.h"
#include "fokker/objective/score_matching.h"
#include "fokker/sample/flow_map.h"

namespace fokker {
namespace {

/// z and its accumulated divergences as one state, (n, d + k), so that both are integrated to tolerance.
struct Augmented {
  int64_t dimension;
  std::vector<int64_t> event;
  Tensor position(const Tensor& state) const {
    std::vector<int64_t> shape{state.size(0)};
    shape.insert(shape.end(), event.begin(), event.end());
    return state.narrow(1, 0, dimension).reshape(shape);
  }
  Tensor accumulated(const Tensor& state) const {
    return state.narrow(1, dimension, state.size(1) - dimension);
  }
};

/// Directions (k, n, event...) with E[v v^T] = I, keyed by row.
Tensor draw_probes(const Tensor& x, const LikelihoodOptions& options, int64_t first_row, const Rng& rng) {
  std::vector<Tensor> probes;
  for (int64_t i = 0; i < options.probes; ++i) {
    const Tensor normal = rng.stream(static_cast<uint64_t>(i))
                              .normal(x.sizes(), {.first_sample = first_row}, x.options().dtype(at::kDouble));
    probes.push_back(
        options.probe_law == ProbeLaw::gaussian ? normal : at::where(normal > 0, 1.0, -1.0).to(at::kDouble));
  }
  return at::stack(probes);
}

/// The rate of the augmented state of some rows; `probes` undefined for the exact divergence.
Tensor augmented_rate(const AngularFlow& flow, const Augmented& layout, const Tensor& state, double angle,
                      const Tensor& rows, const Tensor& probes, at::ScalarType type) {
  const GradientMode on(true);
  const Tensor z = layout.position(state).to(type).requires_grad_();
  const Tensor rate = flow.rate(z, angle, rows);
  std::vector<Tensor> columns{rate.detach().flatten(1)};
  if (probes.defined()) {
    for (int64_t i = 0; i < probes.size(0); ++i)
      columns.push_back(
          directional_divergence(rate, z, probes[i].index_select(0, rows).to(type)).detach().unsqueeze(1));
  } else {
    columns.push_back(exact_divergence(rate, z).detach().unsqueeze(1));
  }
  return at::cat(columns, 1).to(at::kDouble);
}

struct End {
  Tensor log_density, prior_mismatch;
};

/// The law at t = 1 at x_1: an exact denoiser's own, or the prior.
End end_of_flow(const Denoiser& denoiser, const Tensor& x1) {
  const Tensor prior = denoiser.process().log_prior(x1).to(at::kDouble);
  const auto* exact = dynamic_cast<const AnalyticDenoiser*>(&denoiser);
  if (!exact) return {prior, {}};
  const Tensor log_density = exact->marginal(1.0).log_density(x1.flatten(1));
  return {log_density, prior - log_density};
}

Likelihood block_likelihood(const Denoiser& denoiser, const Tensor& x, const LikelihoodOptions& options,
                            int64_t first_row, const Rng& rng) {
  const AngularFlow flow(denoiser,
                         options.label.defined() ? options.label.narrow(0, first_row, x.size(0)) : Tensor());
  const Augmented layout{event_size(x.sizes()), x.sizes().slice(1).vec()};
  const bool exact = options.divergence == FlowDivergence::exact;
  const Tensor probes = exact ? Tensor() : draw_probes(x, options, first_row, rng);
  const double begin = options.time ? flow.angle(*options.time) : flow.data_angle(), end = flow.angle(1.0);
  const double shrink = options.time ? 1 / flow.scale(*options.time) : std::cos(begin);  // z of x
  const Tensor z0 = x.to(at::kDouble).flatten(1) * shrink;
  const OdeRun run = advance_rows(
      [&](const Tensor& s, double angle, const Tensor& rows) {
        return augmented_rate(flow, layout, s, angle, rows, probes, options.type);
      },
      at::cat({z0, at::zeros({x.size(0), exact ? 1 : options.probes}, z0.options())}, 1), begin, end,
      options.tolerance);
  const Tensor& state = run.x;
  const End last = end_of_flow(denoiser, layout.position(state) * flow.scale(1.0));
  const Tensor integrals = layout.accumulated(state);
  const auto d = static_cast<double>(layout.dimension);
  const double volume = d * (std::log(flow.scale(1.0)) + std::log(shrink));
  const Tensor log_density = last.log_density + volume + integrals.mean(1);
  check_finite_rows(log_density, "it lies too far away: its log density is not a number");
  return {.log_density = log_density,
          .probe_error =
              exact ? at::zeros({x.size(0)}, z0.options())
                    : integrals.std(1, /*unbiased=*/true) / std::sqrt(static_cast<double>(options.probes)),
          .prior_mismatch = last.prior_mismatch,
          .evaluations = run.evaluations,
          .rejected = run.rejected,
          .exact = exact};
}

void append(Tensor& all, const Tensor& part) {
  if (part.defined()) all = all.defined() ? at::cat({all, part.cpu()}) : part.cpu();
}

/// This rank's rows.
Likelihood own_likelihood(const Denoiser& denoiser, const Tensor& x, const LikelihoodOptions& options,
                          const Rng& rng) {
  const Share own = options.ranks.share_blocks(x.size(0), options.block);
  Likelihood all{.log_density = {}, .probe_error = {}, .prior_mismatch = {}};
  for (int64_t first = own.first; first < own.first + own.count; first += options.block) {
    check_stop();
    const Tensor rows = x.narrow(0, first, std::min(options.block, x.size(0) - first));
    const Likelihood part =
        count_rows_from(first, [&] { return block_likelihood(denoiser, rows, options, first, rng); });
    append(all.log_density, part.log_density);
    append(all.probe_error, part.probe_error);
    append(all.prior_mismatch, part.prior_mismatch);
    all.evaluations = std::max(all.evaluations, part.evaluations);
    all.rejected += part.rejected;
    if (options.observer) options.observer(first - own.first + rows.size(0));
  }
  return all;
}

/// The rows of all ranks, on each.
void join_likelihoods(const Ranks& ranks, Likelihood& all) {
  if (ranks.alone()) return;
  for (Tensor* of_rows : {&all.log_density, &all.probe_error, &all.prior_mismatch})
    *of_rows = ranks.gather_rows(*of_rows);
  const auto counts = ranks.gather({{"evaluations", all.evaluations}, {"rejected", all.rejected}});
  all.rejected = 0;
  for (const Json& of_rank : counts) {
    all.evaluations = std::max(all.evaluations, of_rank["evaluations"].get<int64_t>());
    all.rejected += of_rank["rejected"].get<int64_t>();
  }
}

}  // namespace

Likelihood log_likelihood(const Denoiser& denoiser, const Tensor& x, const LikelihoodOptions& options,
                          const Rng& rng) try {
  check(x.dim() >= 2 && x.size(0) > 0, "log_likelihood: expected rows (n, ...) but received {}",
        shape_string(x));
  check(options.probes > 0, "log_likelihood: expected probes > 0 but received {}", options.probes);
  check(options.block > 0, "log_likelihood: expected block > 0 but received {}", options.block);
  const GradientMode off(false);
  Likelihood all;
  options.ranks.on_each([&] { all = own_likelihood(denoiser, x, options, rng); });
  join_likelihoods(options.ranks, all);
  all.exact = options.divergence == FlowDivergence::exact;
  return all;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
