#include "cli/densities.h"
#include "cli/output.h"
#include "cli/shared_rows.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/file_rows.h"
#include "fokker/data/load.h"

namespace fokker::cli {
namespace {

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
                 const Command& command, const Ranks& ranks) {
  check_used(o, source, command);
  const RowDensities rows = name_rows_of(o.data, [&] { return of_table(o, source, data, ranks); });
  if (!ranks.root()) return 0;
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
  const Ranks ranks = join_ranks(o.timeout);
  if (!o.out.empty()) ranks.on_root([&] { check_output(o.out); });
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
  check_same_input(ranks, o.data, data, &source);
  warn_of_levels(data);
  if (source.table()) return finish_table(o, source, data, command, ranks);
  const Tensor x = dequantised(source, data, Rng(o.common.seed).stream("dequantisation"));
  check_used(o, source, command);
  RowDensities rows = name_rows_of(o.data, [&] {
    check_range(x, source);
    const Tensor label = source.labels_of(data);
    return o.method == "flow" ? by_flow(o, source, x, label, ranks) : by_elbo(o, source, x, label, ranks);
  });
  if (!ranks.root()) return 0;
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
        describe_ranks(c, o.timeout);
        c.heading("Output");
        c.option("--out", o.out, "Also write the log density of each row: .npy or .csv");
        c.option("--batch", o.batch, "Rows evaluated together; 0 chooses");
      },
      run_likelihood);
}

}  // namespace fokker::cli
