// fokker restore: x given a measurement of it.
#include "cli/given.h"
#include "cli/progress.h"
#include "cli/restored_output.h"
#include "cli/sampling.h"
#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/core/text/text.h"
#include "fokker/data/columns.h"
#include "fokker/data/file_rows.h"
#include "fokker/data/labels.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/guidance.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {
namespace {

struct RestoreOptions : SourceOptions {
  CommonOptions common;
  std::string data, measured_by, method = "auto", noise = "0", out, uncertainty, label, given_file;
  std::vector<std::string> given;
  int64_t particles = 256, steps = 100, n = 1, batch = 0;
  bool told() const { return !given.empty() || !given_file.empty(); }
};

std::vector<std::string> restore_methods() {
  std::vector<std::string> names = posterior_sampler_names();
  names.emplace_back("exact");
  return names;
}

void describe_measurement(Command& c, RestoreOptions& o) {
  c.heading("Measurement, y = A x + S noise, or counts");
  c.option("--data", o.data,
           "Measurements y, one a row, in the units of the data (images: [-1, 1] or levels) or counts: .npy, "
           ".csv, images. Of a mask whole events, hidden numbers ignored, or what is seen",
           Command::Need::required);
  c.option("--operator", o.measured_by,
           "A: mask:FILE (PNG or NPY, 1 is seen), mask:columns=a+b, crop:top=T,left=L,height=H,width=W, "
           "matrix:FILE.npy, downsample:K (means over K x K), blur:SIGMA (pixels, reflected at the border)",
           Command::Need::required);
  c.option("--noise", o.noise,
           "S, the noise's standard deviation in the units of y, 0: exact; or poisson:GAIN, "
           "poisson:gain=G,offset=O: y is counts of mean G (A x + O), where O is 1 of images, whose black is "
           "-1, else 0");
}

void describe_restore(Command& c, RestoreOptions& o) {
  describe_source(c, o);
  describe_measurement(c, o);
  c.heading("Method");
  c.option(
      "--method", o.method,
      "One of: " + join(restore_methods()) +
          " (exact: of a target); auto: ddnm for the images of a run, which asks for no derivatives of its "
          "network, else mmps; of counts dps for images, else tds");
  c.option("--particles", o.particles, "Particles of tds for each measurement");
  c.option("--steps", o.steps, "Steps from noise to data");
  c.option("--n", o.n, "Draws of x for each measurement");
  c.option("--batch", o.batch, "Draws that go through the network together; 0 chooses");
  c.heading("What else is known");
  c.option("--label", o.label, "Class of a model that was trained with classes");
  c.option(
      "--given", o.given,
      "COLUMN=NUMBER, a condition of a model that was trained with --condition, or c0=NUMBER with numbers "
      "as --labels; all of them, or none");
  c.option("--given-file", o.given_file, "Conditions of each measurement, a row each, or one row for all");
  c.heading("Output");
  c.option("--out", o.out,
           "Draws in the data's units: .npy (rows of y, n, ...), .csv of a table, with columns row and draw "
           "first, or "
           ".png of images: a line for each measurement, with A^+ y, the draws and their deviation",
           Command::Need::required);
  c.option(
      "--uncertainty", o.uncertainty,
      "Standard deviation of the draws, a number for each of x: .npy, or .png of images, white the largest");
}

/// By its own names, of which the library has not all.
void check_method(const std::string& method) {
  std::vector<std::string> names = restore_methods();
  names.emplace_back("auto");
  const Spec spec("posterior sampler", method);
  if (std::find(names.begin(), names.end(), spec.name()) == names.end()) spec.unknown_name(names);
}

void check_restore(const RestoreOptions& o) {
  check(o.n > 0, "n: expected n > 0 but received {}", o.n);
  check(o.steps > 0, "steps: expected steps > 0 but received {}", o.steps);
  check(o.batch >= 0, "batch: expected batch > 0 but received {}", o.batch);
  check(o.particles > 0, "particles: expected particles > 0 but received {}", o.particles);
  check_method(o.method);
  check(o.label.empty() || !o.told(), "given: expected --label or --given, not both");
  NoiseLaw::parse(o.noise, false);
  check_restored_output(o.out, o.uncertainty, o.n);
}

/// What is told of rows, where the source knows such things.
void check_told(const RestoreOptions& o, const DenoiserSource& source) {
  check(o.label.empty() || source.model, "label: a target has no classes");
  const bool conditioned = source.model && source.model->condition.scale;
  check(!o.told() || conditioned, "given: {} was trained without conditions",
        source.model ? o.run : "a target");
  if (!source.model) return;
  if (o.label.empty() && !source.model->label_names.empty())
    message(
        fmt::format("no --label: without regard to class, of {}", list_labels(source.model->label_names)));
  if (!o.told() && conditioned)
    message(fmt::format("no --given: without regard to the conditions {}",
                        list_columns(source.model->condition.columns)));
}

/// Of the images of a run with estimates within [-1, 1], as they are sampled.
DenoiserSource open_source(const RestoreOptions& o) {
  DenoiserSource source = open_denoiser(o.common, o);
  if (source.model && source.model->is_image())
    source.denoiser = std::make_shared<ClippedDenoiser>(source.denoiser, 1.0);
  check(!source.table(),
        "{}: it was trained on a table with a schema, whose cells are no numbers to measure; fokker impute "
        "fills "
        "its missing cells",
        o.run);
  check_told(o, source);
  return source;
}

/// What the denoiser is told of each of `rows` measurements; undefined for nothing.
Tensor labels_of_rows(const RestoreOptions& o, const DenoiserSource& source, int64_t rows) {
  if (!o.label.empty()) return at::full({rows}, class_of(*source.model, o.label), at::kLong);
  if (!o.told()) return {};
  SampleOptions asked;
  asked.n = 1;
  asked.reading = o.reading;
  asked.given = o.given;
  asked.given_file = o.given_file;
  const Tensor given = read_conditions(asked, *source.model).rows;
  check_input(given.size(0) == 1 || given.size(0) == rows,
              "{}: expected conditions of each of {} measurements, or one row for all, but it has {}",
              o.given_file, rows, given.size(0));
  Dataset told;
  told.conditions = given.expand({rows, -1});
  return source.labels_of(told);
}

/// Standard deviation of a coordinate of the data in the model's space.
double deviation_of(const AnalyticDenoiser* exact) {
  if (!exact) return 1;
  const GaussianMixture& target = exact->target();
  return std::sqrt(std::max(1e-12, target.mean_square() - target.mean().square().mean().item<double>()));
}

struct Draws {
  Tensor x;  ///< (rows, n, event...), in the model's space
  Json facts = Json::object();
};

Draws draw_exactly(const RestoreOptions& o, const AnalyticDenoiser* exact, const Seen& seen) {
  check(exact != nullptr, "method: exact is of a --target, whose posterior is known; a run has {}",
        join(posterior_sampler_names()));
  const LinearMeasurement* linear = seen.in_model->linear();
  check(linear != nullptr, "method: exact takes normal noise; of counts a target has tds and dps");
  std::vector<Tensor> rows;
  for (int64_t row = 0; row < linear->rows(); ++row) {
    const GaussianMixture law = exact_posterior(exact->target(), *linear, row);
    rows.push_back(
        law.sample(o.n, Rng(o.common.seed).stream("exact posterior").stream(static_cast<uint64_t>(row))));
  }
  return {.x = at::stack(rows)};
}

/// Where the process leaves much of the data at its end: the exact law of a target; of a run only its size is
/// known, which is said.
Tensor start_of(const RestoreOptions& o, const DenoiserSource& source, const AnalyticDenoiser* exact,
                const TimeGrid& grid, int64_t rows, int64_t each) {
  if (!exact) {
    judge_prior(source.process(), recorded_spread(source.model->training), grid);
    return {};
  }
  const Tensor x =
      exact->marginal(grid.times().front()).sample(rows * each, Rng(o.common.seed).stream("prior"));
  return x.reshape({rows, each, x.size(1)});
}

Draws draw_by_method(const RestoreOptions& o, const DenoiserSource& source, const Seen& seen,
                     const PosteriorSampler& method) {
  const auto* exact = dynamic_cast<const AnalyticDenoiser*>(source.denoiser.get());
  const int64_t rows = seen.in_model->rows(), each = method.interacts() ? std::max(o.particles, o.n) : o.n;
  const TimeGrid grid = posterior_grid(source.process(), o.steps);
  PosteriorOptions options{.draws = each,
                           .rng = Rng(o.common.seed),
                           .block = o.batch,
                           .type = source.type,
                           .data_deviation = deviation_of(exact),
                           .start = start_of(o, source, exact, grid, rows, each),
                           .labels = labels_of_rows(o, source, rows)};
  Progress progress("restoring", rows * each);
  options.progress = [&](int64_t done) { progress.update(done); };
  const PosteriorSamples found =
      name_rows_of(o.data, [&] { return method.sample(*source.denoiser, *seen.in_model, grid, options); });
  progress.finish();
  Draws draws{.x = method.interacts() ? equally_weighted(found, o.n, Rng(o.common.seed)) : found.x};
  draws.facts["evaluations"] = found.evaluations;
  draws.facts["gradients"] = found.gradients;
  draws.facts["ess"] = Json::array();
  for (int64_t row = 0; row < found.ess.size(0); ++row)
    draws.facts["ess"].push_back(found.ess[row].item<double>());
  if (method.interacts()) draws.facts["particles"] = each;
  return draws;
}

/// Derivatives of a network that is little trained are not those of a denoiser, and mmps may then leave the
/// range of pictures.
std::string chosen_method(const DenoiserSource& source, const NoiseLaw& noise) {
  const bool images = source.model && source.model->is_image();
  std::string method = noise.counts ? (images ? "dps" : "tds") : images ? "ddnm" : "mmps";
  message(fmt::format("method {}", method));
  return method;
}

void report_restored(const RestoreOptions& o, const Restored& restored, const Json& facts) {
  const int64_t rows = restored.x.size(0);
  const double residual = restored.seen.residual(restored.x);
  Json json = {{"n", o.n},
               {"rows", rows},
               {"method", o.method},
               {"operator", o.measured_by},
               {"noise", restored.seen.noise.to_json()},
               {"steps", o.steps},
               {"out", o.out},
               {"seed", o.common.seed},
               {"residual", residual}};
  if (!o.label.empty()) json["label"] = o.label;
  if (!o.given.empty()) json["given"] = o.given;
  if (!o.given_file.empty()) json["given_file"] = o.given_file;
  json.update(facts);
  std::string text = fmt::format("restored {} measurements, {} draws of each\nresidual {:.4g} ({})\n", rows,
                                 o.n, residual, restored.seen.noise.text());
  if (json.contains("particles")) {
    double least = std::numeric_limits<double>::infinity();
    for (const Json& each : json["ess"]) least = std::min(least, each.get<double>());
    text +=
        fmt::format("effective samples {:.1f} of {} at the least\n", least, json["particles"].get<int64_t>());
  }
  print_result(o.common, json, text);
  message(fmt::format("wrote {} draws to {}", rows * o.n, o.out));
}

int run_restore(const RestoreOptions& typed, const Command&) {
  RestoreOptions o = typed;
  check_restore(o);
  auto method = o.method == "auto" || o.method == "exact" ? nullptr : make_posterior_sampler(o.method);
  const DenoiserSource source = open_source(o);
  const NoiseLaw noise = NoiseLaw::parse(o.noise, source.event.size() == 3);
  if (o.method == "auto") method = make_posterior_sampler(o.method = chosen_method(source, noise));
  check_restored_output_of(source, o.out, o.uncertainty);
  const Seen seen = read_measurement(o.data, o.measured_by, noise, source);
  if (method) method->check_measurement(*seen.in_model);
  const Draws draws =
      method ? draw_by_method(o, source, seen, *method)
             : draw_exactly(o, dynamic_cast<const AnalyticDenoiser*>(source.denoiser.get()), seen);
  const Tensor x = source.to_user(draws.x.flatten(0, 1)).reshape(draws.x.sizes());
  const Restored restored{source, seen, x, o.n > 1 ? x.std(1, true) : Tensor()};
  restored.write(o.out);
  if (!o.uncertainty.empty()) restored.write_uncertainty(o.uncertainty);
  report_restored(o, restored, draws.facts);
  return 0;
}

}  // namespace

void add_restore(CommandLine& line) {
  add_command<RestoreOptions>(line,
                              {"restore", "Draw x given measurements y = A x + noise of it",
                               "fokker restore run --data y.npy --operator mask:seen.png --noise 0.05 "
                               "--method mmps --n 8 --out x.npy "
                               "--uncertainty sd.png\n  "
                               "fokker restore --target two-modes --process vp --data y.npy --operator "
                               "matrix:A.npy --noise 0.5 --method tds "
                               "--particles 4096 --n 100 --out x.csv"},
                              describe_restore, run_restore);
}

}  // namespace fokker::cli
