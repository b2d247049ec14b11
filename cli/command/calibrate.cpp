#include "cli/calibration_output.h"
#include "cli/denoiser_source.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "fokker/core/check.h"
#include "fokker/core/file/files.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/train/posterior_draws.h"

namespace fokker::cli {
namespace {

struct CalibrateOptions {
  CommonOptions common;
  DataOptions reading;
  std::string run, data, out, plot;
  std::vector<std::string> given;
  int64_t draws = 200, rows = 0, steps = 30, batch = 0;
};

void check_asked(const CalibrateOptions& o, const DenoiserSource& source) {
  const Model& model = *source.model;
  check(model.condition.any() || (model.table && !o.given.empty()),
        "{}: it was trained without conditions: expected a model trained with --condition{}", o.run,
        model.table ? ", or --given with the columns of the table that are given" : "");
  check(o.given.empty() || !model.condition.any(), "given: {} is always given {}; expected no other columns",
        o.run, join(model.condition.columns));
  check(!model.is_image(), "{}: it draws images, whose pixels are too many for one test each", o.run);
}

PosteriorDraws draw_posterior(const CalibrateOptions& o, const DenoiserSource& source, const Dataset& data) {
  const int64_t n = data.size() * o.draws;
  const int64_t block = o.batch > 0 ? o.batch : usual_batch(source.event);
  Progress progress("drawing", (n + block - 1) / block * o.steps);
  int64_t done = 0;
  fokker::SampleOptions options{.steps = o.steps, .batch = block};
  options.observers.emplace_back([&](const Observation& seen) {
    if (seen.step > 0) progress.update(++done);
  });
  return posterior_draws(*source.model, data, o.draws, Rng(o.common.seed).stream("calibrate"), options,
                         o.given);
}

int run_calibrate(const CalibrateOptions& o, const Command&) {
  check(o.draws > 0, "draws: expected draws > 0 but received {}", o.draws);
  check(o.rows >= 0 && o.steps > 0 && o.batch >= 0,
        "calibrate: expected rows, steps and batch that are positive");
  check(o.out.ends_with(".json"), "{}: expected an output that ends in .json", o.out);
  check_folder_of(o.out);
  if (!o.plot.empty()) {
    plot::image_format(o.plot);
    check_folder_of(o.plot);
  }
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run, .reading = o.reading});
  check_asked(o, source);
  Dataset data = load_matching(o.data, source);
  if (o.rows > 0 && o.rows < data.size()) data = data.subset(at::arange(o.rows, at::kLong));
  constexpr int64_t fewest = 20;
  check_input(data.size() >= fewest, "{}: expected at least {} rows but it has {}", o.data, fewest,
              data.size());
  if (source.model->training.data == o.data)
    warn(fmt::format("{}: the model was trained on these rows, and knows them: expected rows held out of it",
                     o.data));
  const PosteriorDraws drawn = draw_posterior(o, source, data);
  const Calibration found = calibrate(drawn.truth, drawn.draws, Rng(o.common.seed).stream("calibration"),
                                      {.columns = drawn.columns});
  Json json = calibration_json(found);
  json["seed"] = o.common.seed;
  json["given"] = o.given.empty() ? source.model->condition.columns : o.given;
  write_file_atomically(o.out, json_text(json, 2) + "\n");
  if (!o.plot.empty()) calibration_figure(found).save(o.plot);
  print_result(o.common, json, calibration_text(found));
  message(fmt::format("wrote the calibration of {} rows to {}", found.rows, o.out));
  return 0;
}

}  // namespace

void add_calibrate(CommandLine& line) {
  add_command<CalibrateOptions>(
      line,
      {"calibrate", "Test whether posterior draws of a conditional model are calibrated",
       "fokker calibrate posterior --data held-out-pairs.csv --out calibration.json --plot calibration.png"},
      [](Command& c, CalibrateOptions& o) {
        c.option("run", o.run, "Run folder of a model trained with --condition", Command::Need::required);
        describe_data(c, o.reading);
        c.heading("Rows");
        c.option("--data", o.data,
                 "Pairs that were held out of the training: conditions and what they are of",
                 Command::Need::required);
        c.option("--rows", o.rows, "Use the first rows only; 0 is all");
        c.option("--given", o.given,
                 "Columns that are given, of the model of a table with a schema that was trained without "
                 "--condition");
        c.heading("Method");
        c.option("--draws", o.draws, "Posterior draws of each row");
        c.option("--steps", o.steps, "Steps of the sampler");
        c.option("--batch", o.batch, "Rows sampled together; 0 chooses");
        c.heading("Output");
        c.option("--out", o.out, "JSON file of ranks, tests and coverage", Command::Need::required);
        c.option("--plot", o.plot, "Picture of the ranks and the coverage: .png, .svg or .pdf");
      },
      run_calibrate);
}

}  // namespace fokker::cli
