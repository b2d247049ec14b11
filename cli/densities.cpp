#include "cli/densities.h"

#include "cli/progress.h"
#include "cli/shared_rows.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/data/load.h"
#include "fokker/denoise/table.h"
#include "fokker/evaluate/table_likelihood.h"
#include "fokker/objective/elbo.h"

namespace fokker::cli {
namespace {

/// A single row has no spread over rows: so many draws of its bound tell the error of their mean.
constexpr int64_t draws_of_one_row = 16;

}  // namespace

bool uses_exact_divergence(const LikelihoodCommand& o, const DenoiserSource& source) {
  return o.divergence == "exact" || (o.divergence == "auto" && source.dimension() <= 64);
}

RowDensities by_flow(const LikelihoodCommand& o, const DenoiserSource& source, const Tensor& x,
                     const Tensor& label, const Ranks& ranks) {
  check(o.divergence == "auto" || o.divergence == "exact" || o.divergence == "hutchinson",
        "divergence: expected exact or hutchinson but received '{}'", o.divergence);
  check(o.probe_law == "rademacher" || o.probe_law == "gaussian",
        "probe-law: expected rademacher or gaussian but received '{}'", o.probe_law);
  LikelihoodOptions options{
      .divergence = uses_exact_divergence(o, source) ? FlowDivergence::exact : FlowDivergence::hutchinson,
      .probe_law = o.probe_law == "gaussian" ? ProbeLaw::gaussian : ProbeLaw::rademacher,
      .probes = o.probes > 0 ? o.probes : 2,
      .tolerance = {.rtol = o.rtol, .atol = o.atol},
      .block = BlockSize{.block = o.batch, .images = 32, .points = 1024}.of(x),
      .type = c10::typeMetaToScalarType(source.type.dtype()),
      .label = label.defined() ? label.to(source.type.device()) : Tensor(),
      .ranks = ranks};
  Progress progress("likelihood", ranks.share_blocks(x.size(0), options.block).count);
  options.observer = [&](int64_t done) { progress.update(done); };
  const Likelihood found = log_likelihood(*source.denoiser, x.to(source.type.device()), options,
                                          Rng(o.common.seed).stream("probes"));
  progress.finish();
  Json details = {{"method", std::string("flow-") + (found.exact ? "exact" : "hutchinson")},
                  {"evaluations", found.evaluations},
                  {"rejected", found.rejected}};
  if (!found.exact) details["probes"] = options.probes;
  if (found.prior_mismatch.defined()) details["prior_mismatch"] = found.prior_mismatch.mean().item<double>();
  return {found.log_density, found.exact ? Tensor() : found.probe_error, details};
}

RowDensities of_table(const LikelihoodCommand& o, const DenoiserSource& source, const Dataset& data,
                      const Ranks& ranks) {
  check(
      o.method == "flow",
      "method: the likelihood of a table with levels is bounded by the flow; expected flow but received '{}'",
      o.method);
  const bool exact = uses_exact_divergence(o, source), single = data.size() == 1;
  const Tensor cells = single ? data.values.expand({draws_of_one_row, -1}).contiguous() : data.values;
  LikelihoodOptions options{
      .divergence = exact ? FlowDivergence::exact : FlowDivergence::hutchinson,
      .probe_law = o.probe_law == "gaussian" ? ProbeLaw::gaussian : ProbeLaw::rademacher,
      .probes = o.probes > 0 ? o.probes : 2,
      .tolerance = {.rtol = o.rtol, .atol = o.atol},
      .block = o.batch > 0 ? o.batch : 256,
      .type = c10::typeMetaToScalarType(source.type.dtype()),
      .ranks = ranks};
  if (data.labels.defined())
    options.label = single ? data.labels.expand({draws_of_one_row}).contiguous() : data.labels;
  Progress progress("likelihood", ranks.share_blocks(cells.size(0), options.block).count);
  options.observer = [&](int64_t done) { progress.update(done); };
  const TableDenoiser denoiser(source.model->network, source.model->spec);
  const TableLikelihood found = table_likelihood(denoiser, *source.table(), cells, options,
                                                 Rng(o.common.seed).stream("probes"), source.given_columns());
  progress.finish();
  Json details = {{"method", std::string("flow-") + (found.exact ? "exact" : "hutchinson")},
                  {"bound", "lower"},
                  {"probabilities", source.not_given(source.table()->columns_of_probabilities())},
                  {"densities", source.not_given(source.table()->columns_of_densities())},
                  {"evaluations", found.evaluations},
                  {"rejected", found.rejected}};
  if (!found.exact) details["probes"] = options.probes;
  if (!single) return {found.bound, found.exact ? Tensor() : found.probe_error, details};
  const Tensor error = found.bound.std().unsqueeze(0) / std::sqrt(static_cast<double>(draws_of_one_row));
  return {found.bound.mean().unsqueeze(0), error, details};
}

RowDensities by_elbo(const LikelihoodCommand& o, const DenoiserSource& source, const Tensor& given,
                     const Tensor& given_label, const Ranks& ranks) {
  const GradientMode off(false);
  const bool single = given.size(0) == 1;
  const Tensor x = single ? at::repeat_interleave(given, draws_of_one_row, 0) : given;
  const Tensor label =
      single && given_label.defined() ? at::repeat_interleave(given_label, draws_of_one_row, 0) : given_label;
  const Rng rng = Rng(o.common.seed).stream("elbo");
  const Tensor controls =
      elbo_controls(*source.denoiser, x.slice(0, 0, 64).to(source.type), {.steps = o.steps}, rng,
                    label_rows(label, 0, std::min<int64_t>(64, x.size(0)), source.type));
  const auto [bound, sums, times] = map_blocks<3>(
      ranks, "evidence lower bound", x, {.block = o.batch}, [&](const Tensor& rows, int64_t first) {
        const ElboTerms found = elbo_terms(*source.denoiser, rows.to(source.type), {.steps = o.steps},
                                           rng.stream(static_cast<uint64_t>(first)),
                                           label_rows(label, first, rows.size(0), source.type), controls);
        const Tensor terms =
            at::cat({found.reconstruction.unsqueeze(0), found.divergences}).cpu().to(at::kDouble).sum(1);
        return std::array{found.bound().cpu().to(at::kDouble), terms.unsqueeze(0),
                          at::tensor(found.times, at::kDouble).unsqueeze(0)};
      });
  check_finite_rows(bound, "it lies too far away: its bound is not a number");
  Tensor total = at::zeros_like(sums[0]);
  for (int64_t block = 0; block < sums.size(0); ++block) total += sums[block];
  Json terms = Json::array();
  for (int64_t i = 0; i < times.size(1); ++i)
    terms.push_back({{"time", times[0][i].item<double>()},
                     {"kind", i == 0 ? "reconstruction" : "divergence"},
                     {"nats", total[i].item<double>() / static_cast<double>(x.size(0))}});
  const Tensor prior = elbo_prior(source.process(), x);
  terms.push_back({{"time", 1.0}, {"kind", "prior"}, {"nats", prior.mean().item<double>()}});
  const Json details = {{"method", "elbo"}, {"evaluations", times.size(1)}, {"terms", terms}};
  if (!single) return {bound, {}, details};
  const Tensor error = bound.std().unsqueeze(0) / std::sqrt(static_cast<double>(draws_of_one_row));
  return {bound.mean().unsqueeze(0), error, details};
}

}  // namespace fokker::cli
