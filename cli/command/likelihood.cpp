#include "fokker/evaluate/likelihood.h"

#include "cli/denoiser_source.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/messages.h"
#include "fokker/data/file_rows.h"
#include "fokker/data/load.h"
#include "fokker/evaluate/table_likelihood.h"
#include "fokker/objective/elbo.h"

namespace fokker::cli {
namespace {

struct LikelihoodCommand : SourceOptions {
  CommonOptions common;
  std::string data, out, method = "flow", divergence = "auto", probe_law = "rademacher";
  std::string labels;
  bool unconditional = false;
  double rtol = 1e-5, atol = 1e-5;
  int64_t probes = 0, steps = 0, batch = 0, rows = 0;
};

/// Log densities per row in nats of the user's units, and what else there is to say.
struct RowDensities {
  Tensor values;       ///< (n) float64
  Tensor probe_error;  ///< (n), undefined where nothing is estimated by probes
  Json details;
};

/// Whole levels become densities: u in [-1/2, 1/2) is added to each, so that the density integrates to the
/// probability of the level (Theis et al. 2016).
constexpr const char* dequantisation = "uniform on [-1/2, 1/2) of a level";

Tensor dequantised(const DenoiserSource& source, const Dataset& data, const Rng& rng) {
  const Tensor z = source.normalisation.apply(data.values, at::kDouble);
  if (data.values.scalar_type() != at::kByte) return z;
  return z + (rng.uniform(z.sizes(), {}, at::kDouble) - 0.5) / 127.5;
}

/// Floats that are whole levels all the same have no density: the figure would rise with the model's
/// precision.
void warn_of_levels(const Dataset& data) {
  if (!data.is_images() || !data.values.is_floating_point()) return;
  const Tensor levels = (data.values + 1) * 127.5;
  if ((levels - levels.round()).abs().max().item<double>() < 1e-3)
    warn(
        fmt::format("{}: these floats are whole 8-bit levels, whose density has no bound; written as uint8 "
                    "they are spread over their level",
                    data.source));
}

bool uses_exact_divergence(const LikelihoodCommand& o, const DenoiserSource& source) {
  return o.divergence == "exact" || (o.divergence == "auto" && source.dimension() <= 64);
}

RowDensities by_flow(const LikelihoodCommand& o, const DenoiserSource& source, const Tensor& x,
                     const Tensor& label) {
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
      .label = label.defined() ? label.to(source.type.device()) : Tensor()};
  Progress progress("likelihood", x.size(0));
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

/// A single row has no spread over rows: so many draws of its bound tell the error of their mean.
constexpr int64_t draws_of_one_row = 16;

/// Of a table with a schema: a lower bound, in probabilities of levels and densities of numbers.
RowDensities of_table(const LikelihoodCommand& o, const DenoiserSource& source, const Dataset& data) {
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
      .type = c10::typeMetaToScalarType(source.type.dtype())};
  if (data.labels.defined())
    options.label = single ? data.labels.expand({draws_of_one_row}).contiguous() : data.labels;
  Progress progress("likelihood", cells.size(0));
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
                     const Tensor& given_label) {
  const GradientMode off(false);
  const bool single = given.size(0) == 1;
  const Tensor x = single ? at::repeat_interleave(given, draws_of_one_row, 0) : given;
  const Tensor label =
      single && given_label.defined() ? at::repeat_interleave(given_label, draws_of_one_row, 0) : given_label;
  const Rng rng = Rng(o.common.seed).stream("elbo");
  const Tensor controls =
      elbo_controls(*source.denoiser, x.slice(0, 0, 64).to(source.type), {.steps = o.steps}, rng,
                    label_rows(label, 0, std::min<int64_t>(64, x.size(0)), source.type));
  std::vector<Tensor> bounds;
  Tensor sums;
  ElboTerms last;
  for_each_block("evidence lower bound", x, {.block = o.batch}, [&](const Tensor& rows, int64_t first) {
    last = elbo_terms(*source.denoiser, rows.to(source.type), {.steps = o.steps},
                      rng.stream(static_cast<uint64_t>(first)),
                      label_rows(label, first, rows.size(0), source.type), controls);
    bounds.push_back(last.bound().cpu().to(at::kDouble));
    const Tensor terms =
        at::cat({last.reconstruction.unsqueeze(0), last.divergences}).cpu().to(at::kDouble).sum(1);
    sums = sums.defined() ? sums + terms : terms;
  });
  check_finite_rows(at::cat(bounds), "it lies too far away: its bound is not a number");
  Json terms = Json::array();
  for (size_t i = 0; i < last.times.size(); ++i)
    terms.push_back(
        {{"time", last.times[i]},
         {"kind", i == 0 ? "reconstruction" : "divergence"},
         {"nats", sums[static_cast<int64_t>(i)].item<double>() / static_cast<double>(x.size(0))}});
  const Tensor prior = elbo_prior(source.process(), x);
  terms.push_back({{"time", 1.0}, {"kind", "prior"}, {"nats", prior.mean().item<double>()}});
  const Json details = {
      {"method", "elbo"}, {"evaluations", static_cast<int64_t>(last.times.size())}, {"terms", terms}};
  const Tensor bound = at::cat(bounds);
  if (!single) return {bound, {}, details};
  const Tensor error = bound.std().unsqueeze(0) / std::sqrt(static_cast<double>(draws_of_one_row));
  return {bound.mean().unsqueeze(0), error, details};
}

Json summary(const RowDensities& rows, const DenoiserSource& source) {
  const auto n = static_cast<double>(rows.values.size(0));
  const auto d = static_cast<double>(source.table() ? source.table()->schema().size() : source.dimension());
  const double nats = rows.values.mean().item<double>();
  const double probes =
      rows.probe_error.defined() ? rows.probe_error.square().sum().sqrt().item<double>() / n : 0.0;
  // Of the mean over rows; a single row has only the error of its own estimate.
  const double error = n > 1 ? rows.values.std().item<double>() / std::sqrt(n) : probes;
  Json json = {{"n", rows.values.size(0)},       {"nats", nats},
               {"nats_per_dimension", nats / d}, {"bits_per_dimension", -nats / (d * std::log(2.0))},
               {"standard_error", error},        {"probe_standard_error", probes}};
  json.update(rows.details);
  return json;
}

const char* given_text(const Dataset& data) {
  if (data.conditions.defined()) return " given its condition";
  return data.labels.defined() ? " given its label" : "";
}

std::string summary_text(const Json& json, const Dataset& data) {
  return fmt::format(
      "log-likelihood {:.6g} ± {:.2g} nats a row{} ({} rows; {})\n{:.6g} nats, {:.6g} bits per dimension{}\n",
      json["nats"].get<double>(), json["standard_error"].get<double>(), given_text(data), data.size(),
      json["method"].get<std::string>(), json["nats_per_dimension"].get<double>(),
      json["bits_per_dimension"].get<double>(),
      data.is_images() ? " of " + json["units"].get<std::string>() : "");
}

/// Refuses what would do nothing.
void check_used(const LikelihoodCommand& o, const DenoiserSource& source, const Command& command) {
  if (o.method == "elbo")
    command.refuse({"divergence", "probes", "probe-law", "rtol", "atol"},
                   "the elbo has no ODE; expected --method flow");
  else
    command.refuse({"steps"}, "the ODE chooses its own; expected --method elbo");
  if (uses_exact_divergence(o, source))
    command.refuse({"probes", "probe-law"},
                   "an exact divergence takes no directions; expected --divergence hutchinson");
}

int finish_table(const LikelihoodCommand& o, const DenoiserSource& source, const Dataset& data,
                 const Command& command) {
  check_used(o, source, command);
  const RowDensities rows = name_rows_of(o.data, [&] { return of_table(o, source, data); });
  Json json = summary(rows, source);
  json["units"] = "probabilities of levels and of rounded values, densities of other numbers";
  if (!source.given_columns().empty()) json["given_conditions"] = true;
  if (!o.out.empty()) write_samples(o.out, rows.values.unsqueeze(1), {"log_likelihood"});
  print_result(
      o.common, json,
      fmt::format(
          "log-likelihood {:.6g} ± {:.2g} nats a row{} at least ({} rows; {}; {} columns as probabilities, "
          "{} as densities)\n",
          json["nats"].get<double>(), json["standard_error"].get<double>(),
          source.given_columns().empty() ? given_text(data) : " given its conditions", data.size(),
          json["method"].get<std::string>(), json["probabilities"].size(), json["densities"].size()));
  return 0;
}

int run_likelihood(const LikelihoodCommand& o, const Command& command) {
  check(o.method == "flow" || o.method == "elbo", "method: expected flow or elbo but received '{}'",
        o.method);
  check(!o.unconditional || o.labels.empty(), "labels: expected these or --unconditional, not both");
  check(o.rows >= 0, "rows: expected rows >= 0 but received {}", o.rows);
  if (!o.out.empty()) check_output(o.out);
  if (!o.out.empty()) check_output_holds(o.out, {1});
  const DenoiserSource source = open_denoiser(o.common, o);
  const bool classes = source.model && !source.model->label_names.empty();
  const bool conditions = source.model && source.model->condition.any();
  check(classes || conditions || o.labels.empty(), "labels: {} was trained without labels",
        o.run.empty() ? "a target" : o.run);
  Dataset data = o.unconditional
                     ? load_matching(o.data, source, LabelUse::left_out, o.labels, ConditionUse::left_out)
                     : load_matching(o.data, source, LabelUse::used, o.labels);
  if (o.rows > 0 && o.rows < data.size()) data = data.subset(at::arange(o.rows));
  warn_of_levels(data);
  if (source.table()) return finish_table(o, source, data, command);
  const Tensor x = dequantised(source, data, Rng(o.common.seed).stream("dequantisation"));
  check_used(o, source, command);
  RowDensities rows = name_rows_of(o.data, [&] {
    check_range(x, source);
    const Tensor label = source.labels_of(data);
    return o.method == "flow" ? by_flow(o, source, x, label) : by_elbo(o, source, x, label);
  });
  // The Jacobian of the normalisation: nats in the units of this file (images: levels where it holds bytes).
  const Normalisation units = source.normalisation.of_type(data.values.scalar_type());
  rows.values = rows.values + units.log_abs_det();
  Json json = summary(rows, source);
  json["units"] = units.units();
  if (classes) json["given_labels"] = data.labels.defined();
  if (conditions) json["given_conditions"] = data.conditions.defined();
  if (data.values.scalar_type() == at::kByte) json["dequantisation"] = dequantisation;
  if (!o.out.empty()) write_samples(o.out, rows.values.unsqueeze(1), {"log_density"});
  print_result(o.common, json, summary_text(json, data));
  return 0;
}

}  // namespace

void add_likelihood(CommandLine& line) {
  add_command<LikelihoodCommand>(
      line,
      {"likelihood", "Measure the log-likelihood of data under a model",
       "fokker likelihood run --data held-out.csv\n  "
       "fokker likelihood run --data held-out.csv --method elbo\n  "
       "fokker likelihood --target two-modes --process vp --data points.csv --rtol 1e-6 --atol 1e-6 --json"},
      [](Command& c, LikelihoodCommand& o) {
        describe_source(c, o);
        c.heading("Rows");
        c.option("--data", o.data, "Rows in the user's units", Command::Need::required);
        c.option("--labels", o.labels,
                 "File of class labels, one per row, of a model that has classes (a table's label column is "
                 "found by its name)");
        c.flag("--unconditional", o.unconditional, "Leave labels out: the density over all classes");
        c.option("--rows", o.rows, "Use the first rows only; 0 is all");
        c.heading("Method");
        c.option("--method", o.method,
                 "flow: probability-flow ODE; elbo: the chain's lower bound, term by term");
        c.option("--divergence", o.divergence, "exact, hutchinson, or auto: exact up to 64 dimensions");
        c.option("--probes", o.probes, "Directions per row of hutchinson; 0 chooses");
        c.option("--probe-law", o.probe_law, "Law of the directions: rademacher or gaussian");
        c.option("--rtol", o.rtol, "Relative tolerance of the ODE");
        c.option("--atol", o.atol, "Absolute tolerance of the ODE");
        c.option("--steps", o.steps, "Steps of the bound's chain; 0 takes the process's own, or 1000");
        c.heading("Output");
        c.option("--out", o.out, "Also write the log density of each row: .npy or .csv");
        c.option("--batch", o.batch, "Rows evaluated together; 0 chooses");
      },
      run_likelihood);
}

}  // namespace fokker::cli
