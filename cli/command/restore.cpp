// fokker restore: x given a measurement of it.
#include "cli/denoiser_source.h"
#include "cli/measured.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv.h"
#include "fokker/data/file_rows.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/guidance.h"
#include "fokker/plot/mark/image_grid.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {
namespace {

struct RestoreOptions : SourceOptions {
  CommonOptions common;
  std::string data, measured_by, method = "auto", out, uncertainty, label;
  double noise = 0;
  int64_t particles = 256, steps = 100, n = 1, batch = 0;
};

std::vector<std::string> restore_methods() {
  std::vector<std::string> names = posterior_sampler_names();
  names.emplace_back("exact");
  return names;
}

void describe_restore(Command& c, RestoreOptions& o) {
  describe_source(c, o);
  c.heading("Measurement, y = A x + S noise");
  c.option("--data", o.data,
           "Measurements y, one a row, in the units of the data (images: [-1, 1] or levels): .npy, .csv, "
           "images. Of "
           "a mask whole events, hidden numbers ignored, or what is seen",
           Command::Need::required);
  c.option("--operator", o.measured_by,
           "A: mask:FILE (PNG or NPY, 1 is seen), mask:columns=a+b, crop:top=T,left=L,height=H,width=W, "
           "matrix:FILE.npy, downsample:K (means over K x K), blur:SIGMA (pixels, reflected at the border)",
           Command::Need::required);
  c.option("--noise", o.noise, "S, the noise's standard deviation in the units of y; 0: exact");
  c.heading("Method");
  c.option(
      "--method", o.method,
      "One of: " + join(restore_methods()) +
          " (exact: of a target); auto: ddnm for the images of a run, which asks for no derivatives of its "
          "network, else mmps");
  c.option("--particles", o.particles, "Particles of tds for each measurement");
  c.option("--steps", o.steps, "Steps from noise to data");
  c.option("--n", o.n, "Draws of x for each measurement");
  c.option("--label", o.label, "Class of a model that was trained with classes");
  c.option("--batch", o.batch, "Draws that go through the network together; 0 chooses");
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

void check_restore(const RestoreOptions& o) {
  check(o.n > 0, "n: expected n > 0 but received {}", o.n);
  check(o.steps > 0, "steps: expected steps > 0 but received {}", o.steps);
  check(o.batch >= 0, "batch: expected batch > 0 but received {}", o.batch);
  check(o.particles > 0, "particles: expected particles > 0 but received {}", o.particles);
  check(std::isfinite(o.noise) && o.noise >= 0, "noise: expected noise >= 0 but received {}", o.noise);
  check_output(o.out);
  if (o.uncertainty.empty()) return;
  check(o.uncertainty.ends_with(".npy") || o.uncertainty.ends_with(".png"),
        "{}: expected an output that ends in .npy or .png", o.uncertainty);
  check(o.n > 1, "uncertainty: expected n > 1 draws, whose deviation it is");
  check_folder_of(o.uncertainty);
}

void check_restore_outputs(const RestoreOptions& o, const DenoiserSource& source) {
  const bool images = source.event.size() == 3;
  check(!o.out.ends_with(".csv") || !images, "{}: images are written as .npy or .png", o.out);
  check(!o.out.ends_with(".png") || images, "{}: draws of a table are written as .npy or .csv", o.out);
  check(!o.uncertainty.ends_with(".png") || images, "{}: deviations of a table are written as .npy",
        o.uncertainty);
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
  check(o.label.empty() || source.model, "label: a target has no classes");
  return source;
}

/// What is measured, in the units of the data and of the model.
struct Seen {
  std::shared_ptr<const LinearOperator> in_user_units;
  Tensor y;  ///< (rows, output...), in the user's units
  std::shared_ptr<const LinearMeasurement> in_model;
};

Seen read_measurement(const RestoreOptions& o, const DenoiserSource& source) {
  const auto user = make_operator(o.measured_by, {.event = source.event, .columns = source.columns});
  const ModelOperator model = in_model_units(user, source.normalisation);
  const Tensor y = load_measured(o.data, *user, source.reading);
  return name_rows_of(o.data, [&] {
    try {
      return Seen{user, y, std::make_shared<LinearMeasurement>(model.on_model, y - model.offset, o.noise)};
    } catch (const RowError& error) {
      throw RowError(ErrorKind::input, error.row(), error.reason());
    }
  });
}

/// Standard deviation of a coordinate of the data in the model's space.
double deviation_of(const DenoiserSource& source) {
  if (const auto* exact = dynamic_cast<const AnalyticDenoiser*>(source.denoiser.get())) {
    const GaussianMixture& target = exact->target();
    return std::sqrt(std::max(1e-12, target.mean_square() - target.mean().square().mean().item<double>()));
  }
  return 1;
}

struct Draws {
  Tensor x;  ///< (rows, n, event...), in the model's space
  Json facts = Json::object();
};

Draws draw_exactly(const RestoreOptions& o, const DenoiserSource& source, const Seen& seen) {
  const auto* exact = dynamic_cast<const AnalyticDenoiser*>(source.denoiser.get());
  check(exact != nullptr, "method: exact is of a --target, whose posterior is known; a run has {}",
        join(posterior_sampler_names()));
  std::vector<Tensor> rows;
  for (int64_t row = 0; row < seen.in_model->rows(); ++row) {
    const GaussianMixture law = exact_posterior(exact->target(), *seen.in_model, row);
    rows.push_back(
        law.sample(o.n, Rng(o.common.seed).stream("exact posterior").stream(static_cast<uint64_t>(row))));
  }
  return {.x = at::stack(rows)};
}

Draws draw_by_method(const RestoreOptions& o, const DenoiserSource& source, const Seen& seen,
                     const PosteriorSampler& method) {
  const int64_t each = method.interacts() ? std::max(o.particles, o.n) : o.n;
  PosteriorOptions options{.draws = each,
                           .rng = Rng(o.common.seed),
                           .block = o.batch,
                           .type = source.type,
                           .data_deviation = deviation_of(source)};
  if (!o.label.empty())
    options.labels = at::full({seen.in_model->rows()}, class_of(*source.model, o.label), at::kLong);
  Progress progress("restoring", seen.in_model->rows() * each);
  options.progress = [&](int64_t done) { progress.update(done); };
  const TimeGrid grid = posterior_grid(source.process(), o.steps);
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

/// Rows by draws, with the two numbers first.
void write_draws_csv(const std::string& file, const Tensor& x, const std::vector<std::string>& columns) {
  const int64_t rows = x.size(0), n = x.size(1);
  const Tensor row = at::arange(rows, at::kDouble).repeat_interleave(n).unsqueeze(1),
               draw = at::arange(n, at::kDouble).repeat({rows}).unsqueeze(1);
  std::vector<std::string> names{"row", "draw"};
  names.insert(names.end(), columns.begin(), columns.end());
  save_csv(file, at::cat({row, draw, x.flatten(0, 1).to(at::kDouble)}, 1), names);
}

/// Deviations as images: white is the largest of all.
Tensor as_picture(const Tensor& deviation) {
  return deviation * (2 / std::max(1e-12, deviation.max().item<double>())) - 1;
}

/// A line for each measurement: A^+ y, the draws, and their deviation where there are several.
void write_draws_png(const std::string& file, const Tensor& x, const Tensor& deviation, const Seen& seen) {
  const Tensor measured = seen.in_user_units->pseudo_inverse(seen.y).to(x.scalar_type());
  std::vector<Tensor> parts{measured.unsqueeze(1), x};
  if (x.size(1) > 1) parts.push_back(as_picture(deviation).unsqueeze(1));
  const Tensor lines = at::cat(parts, 1);
  plot::save_image_grid(file, lines.flatten(0, 1), {.columns = lines.size(1)});
}

void write_restored(const RestoreOptions& o, const DenoiserSource& source, const Seen& seen, const Tensor& x,
                    const Tensor& deviation) {
  if (o.out.ends_with(".npy")) save_npy(o.out, x);
  if (o.out.ends_with(".csv")) write_draws_csv(o.out, x, source.columns);
  if (o.out.ends_with(".png")) write_draws_png(o.out, x, deviation, seen);
  if (o.uncertainty.ends_with(".npy")) save_npy(o.uncertainty, deviation);
  if (o.uncertainty.ends_with(".png")) plot::save_image_grid(o.uncertainty, as_picture(deviation));
}

/// Derivatives of a network that is little trained are not those of a denoiser, and mmps may then leave the
/// range of pictures.
std::string chosen_method(const DenoiserSource& source) {
  std::string method = source.model && source.model->is_image() ? "ddnm" : "mmps";
  message(fmt::format("method {}", method));
  return method;
}

int run_restore(const RestoreOptions& typed, const Command&) {
  RestoreOptions o = typed;
  check_restore(o);
  auto method = o.method == "auto" || o.method == "exact" ? nullptr : make_posterior_sampler(o.method);
  const DenoiserSource source = open_source(o);
  if (o.method == "auto") method = make_posterior_sampler(o.method = chosen_method(source));
  check_restore_outputs(o, source);
  const Seen seen = read_measurement(o, source);
  if (method) method->check_measurement(*seen.in_model);
  Draws draws = method ? draw_by_method(o, source, seen, *method) : draw_exactly(o, source, seen);
  const Tensor flat = source.to_user(draws.x.flatten(0, 1)), x = flat.reshape(draws.x.sizes());
  const Tensor deviation = o.n > 1 ? x.std(1, true) : Tensor();
  write_restored(o, source, seen, x, deviation);
  const Tensor again = seen.in_user_units->apply(flat.to(at::kDouble)), y = seen.y.repeat_interleave(o.n, 0);
  Json json = {{"n", o.n},
               {"rows", x.size(0)},
               {"method", o.method},
               {"operator", o.measured_by},
               {"noise", o.noise},
               {"steps", o.steps},
               {"out", o.out},
               {"seed", o.common.seed},
               {"residual", (again - y).square().mean().sqrt().item<double>()}};
  json.update(draws.facts);
  std::string text = fmt::format("restored {} measurements, {} draws of each\nresidual {:.4g} (noise {})\n",
                                 x.size(0), o.n, json["residual"].get<double>(), o.noise);
  if (json.contains("particles")) {
    double least = std::numeric_limits<double>::infinity();
    for (const Json& each : json["ess"]) least = std::min(least, each.get<double>());
    text +=
        fmt::format("effective samples {:.1f} of {} at the least\n", least, json["particles"].get<int64_t>());
  }
  print_result(o.common, json, text);
  message(fmt::format("wrote {} draws to {}", flat.size(0), o.out));
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
