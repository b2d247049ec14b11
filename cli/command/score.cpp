#include "cli/denoiser_source.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/shared_rows.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/file_rows.h"

namespace fokker::cli {
namespace {

struct ScoreOptions : SourceOptions {
  CommonOptions common;
  std::string data, labels, out, quantity = "score";
  double time = -1, timeout = usual_rank_timeout;
  int64_t batch = 0;
  bool unconditional = false;
};

const std::vector<std::string> quantities = {"score", "noise", "denoised", "velocity"};

/// Of a table with a schema: its cells have no such quantities, the dimensions of its model's space do.
Tensor in_model_space(const std::string& quantity, const Estimate& estimate) {
  if (quantity == "score") return estimate.score().cpu();
  if (quantity == "noise") return estimate.noise().cpu();
  return (quantity == "denoised" ? estimate.denoised() : estimate.velocity()).cpu();
}

/// One quantity of an estimate in the user's units: scores are pulled back (of images: by level where the
/// file holds bytes), velocities pushed forward, noise is standard normal in any units.
Tensor in_user_units(const std::string& quantity, const Estimate& estimate, const DenoiserSource& source,
                     const Normalisation& units) {
  if (source.table()) return in_model_space(quantity, estimate);
  if (quantity == "score") return units.pullback_score(estimate.score().cpu());
  if (quantity == "noise") return estimate.noise().cpu();
  if (quantity == "denoised") return source.to_user(estimate.denoised());
  const Tensor velocity = estimate.velocity();
  return source.to_user(velocity) - source.to_user(at::zeros_like(velocity));
}

Tensor evaluate_rows(const ScoreOptions& o, const DenoiserSource& source, const Dataset& data,
                     const Normalisation& units, const Ranks& ranks) {
  const GradientMode off(false);
  const Tensor x = source.to_model(data.values);
  name_rows_of(o.data, [&] { check_range(x, source); });
  const DenoiserSource::Told told = source.told(data);
  return map_blocks<1>(ranks, "scoring", x, {.block = o.batch}, [&](const Tensor& rows, int64_t first) {
    const Tensor label = label_rows(told.labels, first, rows.size(0), source.type);
    return std::array{in_user_units(o.quantity, told.denoiser->estimate(rows, o.time, label), source, units)};
  })[0];
}

/// No row is answered where the time is at fault; some, where rows are.
void check_answers(const ScoreOptions& o, const Tensor& values) {
  check(values.flatten(1).isfinite().all(1).any().item<bool>(),
        "score: the {} at t = {} is not finite on any row; move the time away from the end", o.quantity,
        o.time);
  name_rows_of(o.data, [&] {
    check_finite_rows(values, fmt::format("its {} at t = {} is not finite", o.quantity, o.time));
  });
}

int run_score(const ScoreOptions& o, const Command&) {
  check(o.time >= 0 && o.time <= 1, "time: expected a time in [0, 1] but received {}", o.time);
  check(std::find(quantities.begin(), quantities.end(), o.quantity) != quantities.end(),
        "unknown quantity '{}'; valid names: {}", o.quantity, join(quantities));
  check(!o.unconditional || o.labels.empty(), "labels: expected these or --unconditional, not both");
  const Ranks ranks = join_ranks(o.timeout);
  ranks.on_root([&] { check_output(o.out); });
  const DenoiserSource source = open_denoiser(o.common, o);
  check_output_holds(o.out, source.event);
  check(o.labels.empty() ||
            (source.model && (!source.model->label_names.empty() || source.model->condition.any())),
        "labels: {} was trained without labels", o.run.empty() ? "a target" : o.run);
  check(o.quantity != "score" || source.process().sigma(o.time) > 0 || o.run.empty(),
        "time: a trained score needs noise, but sigma({}) = 0", o.time);
  const Dataset data = o.unconditional
                           ? load_matching(o.data, source, LabelUse::left_out, "", ConditionUse::left_out)
                           : load_matching(o.data, source, LabelUse::used, o.labels);
  check_same_input(ranks, o.data, data, &source);
  const Normalisation units = source.normalisation.of_type(data.values.scalar_type());
  const Tensor values = evaluate_rows(o, source, data, units, ranks);
  check_answers(o, values);
  if (!ranks.root()) return 0;
  const auto names = source.table() ? source.table()->dimension_names() : source.columns;
  if (source.table())
    message(fmt::format(
        "{}: a table with levels has no {} in its own units; it is that of the model's space, of {} numbers",
        o.run, o.quantity, values.size(1)));
  write_samples(o.out, values, names);
  Json json = {{"n", values.size(0)},
               {"quantity", o.quantity},
               {"time", o.time},
               {"alpha", source.process().alpha(o.time)},
               {"sigma", source.process().sigma(o.time)},
               {"out", o.out}};
  if (o.quantity == "score") json["units"] = source.table() ? "the model's space" : units.units();
  if (source.model && !source.model->label_names.empty()) json["given_labels"] = data.labels.defined();
  if (source.model && source.model->condition.any()) json["given_conditions"] = data.conditions.defined();
  print_result(o.common, json, "");
  message(fmt::format("wrote the {} of {} rows to {}", o.quantity, values.size(0), o.out));
  return 0;
}

}  // namespace

void add_score(CommandLine& line) {
  add_command<ScoreOptions>(
      line,
      {"score", "Evaluate the score, noise, denoised estimate or velocity at points x_t",
       "fokker score run --data points.csv --time 0.1 --quantity score --out scores.csv\n  "
       "fokker score --target two-modes --process vp --data points.npy --time 0.5 --quantity denoised --out "
       "d.npy"},
      [](Command& c, ScoreOptions& o) {
        describe_source(c, o);
        c.heading("Score");
        c.option("--data", o.data, "Points x_t, in the user's units", Command::Need::required);
        c.option("--time", o.time, "Time t in [0, 1]: data at 0, noise at 1", Command::Need::required);
        c.option("--quantity", o.quantity, "One of: " + join(quantities));
        c.option("--out", o.out, "Output file: .npy or .csv", Command::Need::required);
        c.option("--labels", o.labels,
                 "File of class labels or conditions, one per row, of a model of images that has them (a "
                 "table's own columns are found by their names)");
        c.flag("--unconditional", o.unconditional, "Leave labels and conditions out");
        c.option("--batch", o.batch, "Rows evaluated together; 0 chooses");
        describe_ranks(c, o.timeout);
      },
      run_score);
}

}  // namespace fokker::cli
