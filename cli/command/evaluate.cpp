#include "cli/classifier_distance.h"
#include "cli/comparison_output.h"
#include "cli/denoiser_source.h"
#include "cli/option/kind_options.h"
#include "cli/ranks.h"
#include "cli/registry.h"
#include "cli/shared_rows.h"
#include "cli/table_evaluation.h"
#include "fokker/core/check.h"
#include "fokker/evaluate/score_error.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

struct EvaluateOptions {
  CommonOptions common;
  DataOptions reading;
  KindOptions kinds;
  std::string samples, reference, run, held_out, target;
  int64_t n = 20'000, times = 16;
  double timeout = usual_rank_timeout;
  ClassifierDistanceOptions classifier;
};

/// Equally spaced times between the process's first useful one and 1.
std::vector<double> times_of(const GaussianProcess& process, int64_t count) {
  const double first = process.time_min();
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i)
    times.push_back(first + (1 - first) * static_cast<double>(i + 1) / static_cast<double>(count));
  return times;
}

/// Draws of a target fit memory, by far.
void check_count(int64_t n, int64_t dimension) {
  constexpr int64_t most = int64_t{1} << 28;
  check(n > 1, "n: expected at least 2 reference samples but received {}", n);
  check(n <= most / dimension, "n: expected at most {} reference samples of dimension {} but received {}",
        most / dimension, dimension, n);
}

/// A trained score against the exact one of the law that the data came from, in the model's space.
int evaluate_run(const EvaluateOptions& o, const Ranks& ranks) {
  check(o.samples.empty(), "expected either --samples or --run");
  check(o.classifier.data.empty(), "classifier-data: expected --samples FILE of images");
  const auto name = named_target(o.reference);
  check(name.has_value(), "reference: a run is compared with target:TARGET but received '{}'", o.reference);
  check(o.times > 0 && o.times <= 100'000, "times: expected 0 < times <= 100000 but received {}", o.times);
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const auto target = target_from(*name, o.reading.load_options());
  const GaussianMixture* mixture = as_gaussian_mixture(*target);
  check(mixture != nullptr, "reference: target '{}' has no closed form under noise", *name);
  check(mixture->dimension() == source.dimension(),
        "reference: expected a target of dimension {} but it has {}", source.dimension(),
        mixture->dimension());
  check_count(o.n, mixture->dimension());
  const AnalyticDenoiser exact(in_model_space(*mixture, source.normalisation), source.process());
  const ScoreError error = score_error(*source.denoiser, exact, times_of(source.process(), o.times), o.n,
                                       Rng(o.common.seed).stream("score error"), source.type, ranks);
  if (!ranks.root()) return 0;
  std::string text = fmt::format("Fisher divergence {:.6g}, noise error {:.6g} (averages over t)\n",
                                 error.mean_fisher, error.mean_noise);
  for (size_t i = 0; i < error.times.size(); ++i)
    text += fmt::format("t = {:.4f}   Fisher divergence {:.4g} ± {:.2g}   noise error {:.4g} ± {:.2g}\n",
                        error.times[i], error.fisher[i], error.fisher_error[i], error.noise[i],
                        error.noise_error[i]);
  print_result(o.common,
               {{"times", error.times},
                {"fisher_divergence", error.fisher},
                {"fisher_divergence_standard_error", error.fisher_error},
                {"noise_error", error.noise},
                {"noise_error_standard_error", error.noise_error},
                {"mean_fisher_divergence", error.mean_fisher},
                {"mean_noise_error", error.mean_noise}},
               text);
  return 0;
}

void add_classifier_distance(const ClassifierDistance& d, Json& json, std::string& text) {
  json["classifier_frechet_distance"] = d.samples;
  json["classifier_frechet_distance_real"] = d.real ? Json(*d.real) : Json();
  json["classifier_frechet_real_images"] = d.real_images;
  json["classifier_accuracy"] = d.accuracy;
  json["classifier_saw_of_reference"] = d.seen_of_reference;
  json["classifier_saw_of_samples"] = d.seen_of_samples;
  const std::string real =
      d.real ? fmt::format("{} real images that it did not see: {:.5g}", d.real_images, *d.real)
             : std::string("no real images that it did not see are left to compare with");
  text += fmt::format(
      "Fréchet distance     {:.5g} in the features of a small classifier ({}; its accuracy {:.4f}; not "
      "FID)\n",
      d.samples, real, d.accuracy);
  const auto coincide = [&](const char* what, int64_t seen, int64_t all) {
    if (seen > 0)
      text += fmt::format(
          "                     {} of the {} {} are among the images that the classifier was trained on: "
          "their features "
          "are not those of unseen images\n",
          seen, all, what);
  };
  coincide("images of the reference", d.seen_of_reference, d.reference_images);
  coincide("samples", d.seen_of_samples, d.sample_images);
}

void check_rows(const std::string& name, const Tensor& rows) {
  check_input(rows.size(0) >= 2, "{}: expected at least 2 rows to compare but it has {}", name, rows.size(0));
  const Tensor bad = at::isfinite(rows).all(1).logical_not();
  check_input(!bad.any().item<bool>(), "{}: expected finite values but row {} (of 1 to {}) has nan or inf",
              name, bad.to(at::kLong).argmax().item<int64_t>() + 1, rows.size(0));
}

/// Samples and a reference of as many columns, whatever they are.
void check_rows_of_pair(const EvaluateOptions& o, const Tensor& samples, const Tensor& reference) {
  check_input(samples.size(1) == reference.size(1),
              "{}: expected {} columns as in the reference but it has {}", o.samples, reference.size(1),
              samples.size(1));
  check_rows(o.samples, samples);
  check_rows(o.reference, reference);
}

int evaluate_against_target(const EvaluateOptions& o, const std::string& name, const LoadOptions& reading,
                            const Ranks& ranks) {
  check(o.classifier.data.empty(), "classifier-data: expected --reference to be a file of images");
  check(o.held_out.empty() && o.target.empty(),
        "held-out: expected --reference to be a file of a table: a target is known exactly");
  const Dataset drawn = read_data_file(o.samples, reading);
  const auto target = target_from(name, reading);
  check(target->can_sample(), "reference: target '{}' cannot be sampled", name);
  check_count(o.n, target->dimension());
  const Tensor reference = target->sample(o.n, Rng(o.common.seed).stream("reference"));
  CompareOptions options{.seed = o.common.seed,
                         .unit = drawn.is_images() ? DistanceUnit::common : DistanceUnit::column,
                         .modes = {},
                         .ranks = ranks};
  if (const auto* mixture = as_gaussian_mixture(*target);
      mixture && mixture->components() > 1 && mixture->components() <= 1024)
    options.modes = *mixture;
  const Tensor samples = flat_rows(drawn);
  check_rows_of_pair(o, samples, reference);
  check_same_input(ranks, o.samples, drawn);
  const Comparison comparison = compare(samples, reference, options);
  if (!ranks.root()) return 0;
  Json json = comparison_json(comparison, drawn.columns);
  if (!drawn.columns.empty()) json["compared_columns"] = drawn.columns;
  print_result(o.common, json, comparison_text(comparison, drawn.columns));
  return 0;
}

/// What is measured of tables alone is added; what both measure is as for any samples.
void add_plain_tables(const EvaluateOptions& o, const Dataset& drawn, const Dataset& held,
                      const LoadOptions& reading, const Ranks& ranks, Json& json, std::string& text) {
  constexpr int64_t most_columns = 1000;
  const bool table = !drawn.is_images() && drawn.values.size(1) <= most_columns;
  check(table || (o.held_out.empty() && o.target.empty()),
        "held-out: expected a table of at most {} columns, which images are not", most_columns);
  if (!table) return;
  TableSets sets{.samples = drawn, .reference = held};
  if (!o.held_out.empty()) {
    sets.held_out = load_columns(o.held_out, {.owner = o.reference, .names = held.columns}, reading);
    check_rows(o.held_out, sets.held_out->values);
  }
  const TableEvaluation tables = evaluate_plain_tables(sets, o.target, o.common.seed, ranks);
  Json all = tables.json;
  all.update(json);
  json = std::move(all);
  text += tables.text;
}

int evaluate_files(const EvaluateOptions& o, const LoadOptions& reading, const Ranks& ranks) {
  const auto [drawn, held] = load_pair(o.samples, o.reference, reading);
  check_same_input(ranks, o.samples, drawn);
  check_same_input(ranks, o.reference, held);
  std::optional<ClassifierDistance> distance;
  if (!o.classifier.data.empty()) distance = classifier_distance(drawn, held, o.classifier, o.common);
  const Tensor samples = flat_rows(drawn), reference = flat_rows(held);
  check_rows_of_pair(o, samples, reference);
  const Comparison comparison =
      compare(samples, reference,
              {.seed = o.common.seed,
               .unit = drawn.is_images() ? DistanceUnit::common : DistanceUnit::column,
               .modes = {},
               .ranks = ranks});
  Json json = comparison_json(comparison, drawn.columns);
  if (!drawn.columns.empty()) json["compared_columns"] = drawn.columns;
  std::string text = comparison_text(comparison, drawn.columns);
  if (distance) add_classifier_distance(*distance, json, text);
  add_plain_tables(o, drawn, held, reading, ranks, json, text);
  if (!ranks.root()) return 0;
  print_result(o.common, json, text);
  return 0;
}

int run_evaluate(const EvaluateOptions& o, const Command& command) {
  if (o.run.empty()) command.refuse({"times"}, "only scores are compared at times; expected --run RUN");
  if (!o.run.empty()) command.refuse({"held-out", "target"}, "a score is not compared with rows");
  const auto known = named_target(o.reference);
  if (!o.run.empty() || known || !o.classifier.data.empty())
    command.refuse(kind_option_names(), "expected CSV files of samples and a reference");
  if (o.run.empty() && !known)
    command.refuse({"n"}, "a file has its own rows; expected --reference target:TARGET");
  check(o.classifier.labels.empty() || !o.classifier.data.empty(),
        "classifier-labels: expected --classifier-data FILE, the images that they label");
  const Ranks ranks = join_ranks(o.timeout);
  if (!o.run.empty()) return evaluate_run(o, ranks);
  check(!o.samples.empty(), "expected --samples FILE, or --run RUN");
  LoadOptions reading = o.reading.load_options();
  if (known) return evaluate_against_target(o, *known, reading, ranks);
  if (!o.classifier.data.empty()) return evaluate_files(o, reading, ranks);
  LoadOptions typed = reading;
  choose_kinds(o.kinds, typed);
  check(!o.kinds.any_kinds() || (table_columns(o.samples, reading) && table_columns(o.reference, reading)),
        "schema: a schema and types are for CSV files, but {} or {} is none", o.samples, o.reference);
  const TypedTables tables = load_typed_tables(o.samples, o.reference, o.held_out, typed);
  if (tables.sets) {
    check_same_input(ranks, o.samples, tables.sets->samples);
    check_same_input(ranks, o.reference, tables.sets->reference);
    const TableEvaluation found = evaluate_typed_tables(*tables.sets, o.target, o.common.seed, ranks);
    if (!ranks.root()) return 0;
    print_result(o.common, found.json, found.text);
    return 0;
  }
  if (o.kinds.any_kinds()) reading.columns = tables.plain_columns;
  return evaluate_files(o, reading, ranks);
}

}  // namespace

void add_evaluate(CommandLine& line) {
  add_command<EvaluateOptions>(
      line,
      {"evaluate", "Measure how far samples are from a reference, or a trained score from the exact one",
       "fokker evaluate --samples samples.csv --reference target:two-modes\n  "
       "fokker evaluate --samples samples.csv --reference training.csv --held-out held-out.csv\n  "
       "fokker evaluate --run run --reference target:two-modes"},
      [](Command& c, EvaluateOptions& o) {
        c.option("--samples", o.samples, "File of samples");
        c.option("--run", o.run, "Compare the score of this run with the exact one of target:TARGET instead");
        c.option("--reference", o.reference, "File, or target:TARGET", Command::Need::required);
        describe_kinds(c, o.kinds);
        describe_data(c, o.reading);
        c.heading("Comparison");
        c.option("--held-out", o.held_out,
                 "File of real rows of a table that were not trained on: the same figures of them, whether "
                 "samples are nearer to the reference, and what they teach of --target");
        c.option(
            "--target", o.target,
            "Column that trees learn from the samples and predict in held-out rows (default: the last of "
            "categories, else the last)");
        c.option("--n", o.n, "Samples drawn from a target reference");
        c.option("--times", o.times, "Times at which scores are compared");
        c.option("--classifier-data", o.classifier.data,
                 "Labelled images: adds the Fréchet distance in the features of a small classifier trained "
                 "on them");
        c.option("--classifier-labels", o.classifier.labels, "Their labels, one per row");
        describe_ranks(c, o.timeout);
      },
      run_evaluate);
}

}  // namespace fokker::cli
