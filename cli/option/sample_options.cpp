#include "cli/option/sample_options.h"

#include "cli/langevin.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

void check_trajectory(const SampleOptions& o) {
  if (!o.trajectory.empty()) check_output(o.trajectory);
  check(o.trajectory.empty() || !drawn_directly(o),
        "trajectory: a target is drawn directly, with no states on the way, unless --process, --sampler or "
        "--steps is given");
  check(o.trajectory_every > 0, "trajectory-every: expected trajectory-every > 0 but received {}",
        o.trajectory_every);
  if (o.trajectory_times.empty()) return;
  check(!o.trajectory.empty(),
        "trajectory-times: expected --trajectory FILE.npy, to which the states are written");
  check(o.trajectory_every == 1, "trajectory-times: expected these or --trajectory-every, not both");
  check(!is_chain(o.sampler), "trajectory-times: the steps of {} have no times; expected --trajectory-every",
        o.sampler);
}

/// What would be ignored.
void check_used(const SampleOptions& o, const Command& command) {
  if (o.target.empty())
    command.refuse({"process"}, "a run has its own; expected --process with --target only");
  if (o.run.empty()) {
    check(o.common.precision == "auto" || o.common.precision == "fp64",
          "precision: a target is sampled in fp64, but {} was asked for", o.common.precision);
    command.refuse({"label", "guidance", "guidance-interval"}, "a target has no classes; expected a run");
    command.refuse({"guide"}, "a target needs none; expected a run");
    command.refuse({"given", "given-file"}, "a target is sampled as it is; expected a run");
    command.refuse({"clip"}, "the exact denoiser is not clipped; expected a run");
  }
  if (!o.target.starts_with("data:") && o.given_file.empty())
    command.refuse(data_option_names(), "expected --target data:FILE or --given-file FILE, which is read so");
  if (o.label.empty() && o.given.empty() && o.given_file.empty() && o.guide.empty())
    command.refuse(
        {"guidance"},
        "expected --label or --given too, the class or condition that samples are guided to, or --guide");
  if (o.guidance == 1)
    command.refuse({"guide", "guidance-interval"},
                   "expected a weight --guidance other than 1, which leaves the model as it is");
  if (drawn_directly(o))
    command.refuse({"grid", "batch"},
                   "a target is drawn directly unless --process, --sampler or --steps is given");
  if (is_chain(o.sampler))
    command.refuse({"guide", "guidance-interval"},
                   fmt::format("{} stays at one noise level; expected another sampler", o.sampler));
  if (is_chain(o.sampler)) command.refuse({"grid"}, fmt::format("the steps of {} have no times", o.sampler));
  if (o.trajectory.empty())
    command.refuse({"trajectory-every"}, "expected --trajectory FILE.npy, to which the states are written");
}

/// What samples are given, and how strongly.
void describe_conditions(Command& c, SampleOptions& o) {
  c.heading("Conditions");
  c.repeated(
      "--given", o.given,
      "COLUMN=VALUE: a cell as the file has it (also a mark of a missing one, or nothing where cells are "
      "missing), some of them a|b, or a range LOW..HIGH, LOW.. or ..HIGH. Rows are drawn given single "
      "values; of ranges those are kept that meet them. Of a model trained with --condition: COLUMN=NUMBER "
      "of each of its conditions");
  c.option(
      "--given-file", o.given_file,
      "CSV file of some of the columns, or of the conditions: samples given each of its rows, in its "
      "order. An empty cell is not given; another mark of a missing cell is given as missing. --given is "
      "given of all rows too");
  c.heading("Class");
  c.option("--label", o.label, "Class to sample: a label as the data of the training has it");
  c.heading("Guidance");
  c.option("--guidance", o.guidance,
           "Weight of guidance: classifier-free towards --label or conditions (--given), or away from "
           "the run of --guide; 1 is none");
  c.option("--guidance-interval", o.guidance_interval,
           "Noise levels sigma/alpha LOW..HIGH, LOW.. or ..HIGH at which it acts, at no cost outside "
           "(default: all)");
  c.option("--guide", o.guide,
           "Run of a worse model of the same data, smaller or less trained, that guides in place of the "
           "unconditional estimate (autoguidance)");
}

}  // namespace

GuidanceInterval guidance_interval(const SampleOptions& o) {
  if (o.guidance_interval.empty()) return {};
  const std::string& text = o.guidance_interval;
  const auto dots = text.find("..");
  check(dots != std::string::npos && text != "..",
        "guidance-interval: expected LOW..HIGH, LOW.. or ..HIGH but received '{}'", shown(text));
  GuidanceInterval interval;
  const std::string low = text.substr(0, dots), high = text.substr(dots + 2);
  if (!low.empty()) interval.low = parse_real("guidance-interval", low);
  if (!high.empty()) interval.high = parse_real("guidance-interval", high);
  check(interval.low >= 0 && interval.low <= interval.high,
        "guidance-interval: expected noise levels 0 <= LOW <= HIGH but received '{}'", shown(text));
  return interval;
}

bool drawn_directly(const SampleOptions& o) {
  return !o.target.empty() && o.sampler.empty() && o.process.empty() && o.steps == 0;
}

void check_options(const SampleOptions& o, const Command& command) {
  check(o.n >= 0, "n: expected n > 0 but received {}", o.n);
  check(o.step_size >= 0, "step-size: expected step-size > 0 but received {}", o.step_size);
  check(o.step_size == 0 || is_chain(o.sampler), "step-size: expected --sampler {} but received '{}'",
        join(chain_names()), o.sampler);
  check(o.start.empty() || is_chain(o.sampler), "start: expected --sampler {} but received '{}'",
        join(chain_names()), o.sampler);
  check(o.steps >= 0, "steps: expected steps > 0 but received {}", o.steps);
  check(o.run.empty() != o.target.empty(), "expected either a run folder or --target");
  check(std::isfinite(o.guidance), "guidance: expected a finite weight but received {}", o.guidance);
  guidance_interval(o);
  check(o.batch >= 0, "batch: expected batch > 0 but received {}", o.batch);
  check_samples_output(o.out);
  o.writing.or_else({});  // refuses
  check_trajectory(o);
  check_used(o, command);
}

void describe_options(Command& c, SampleOptions& o) {
  c.option("run", o.run, "Run folder of a trained model");
  c.option("--target", o.target, "Sample a known target with its exact denoiser");
  c.option("--process", o.process,
           "Process of the exact denoiser (default: vp; annealed-langevin: ve; ula, mala and "
           "underdamped-langevin run on the target itself)");
  describe_data(c, o.reading);
  c.heading("Output");
  c.option("--n", o.n, "Number of samples, of each row with --given-file; 0 takes 1000, or 1 of each row");
  c.option("--out", o.out,
           "Output file: .npy, .npz, .csv or .png, or of images a folder, FOLDER/, of a PNG each",
           Command::Need::required);
  describe_writing(c, o.writing);
  c.heading("Method");
  c.option("--sampler", o.sampler, "One of: " + join(sampler_names()));
  c.option("--steps", o.steps, "Number of steps; 0 takes the sampler's default");
  c.option("--step-size", o.step_size,
           "Step size of ula, mala and underdamped-langevin; 0 takes the default");
  c.option("--start", o.start, "Point X,Y,... where their chains begin (default: standard normal)");
  c.option("--grid", o.grid,
           "Spacing of times, one of: " + join(grid_names()) + "; or times as a list 1,0.5,0 or a file");
  c.heading("Trajectory");
  c.option("--trajectory", o.trajectory, "Also write every state to this .npy, (steps+1, n, ...)");
  c.option("--trajectory-every", o.trajectory_every,
           "Of these states keep the start, every K-th and the last");
  c.option("--trajectory-times", o.trajectory_times,
           "Of these states keep those at times T,T,... of the run's grid, in the order of the run");
  describe_conditions(c, o);
  c.heading("Method");
  c.option("--clip", o.clip, "Clip the denoised estimate to [-C, C]; 0 is off; images default to 1");
  c.option("--batch", o.batch, "Rows sampled together; 0 chooses");
  describe_ranks(c, o.timeout);
}

}  // namespace fokker::cli
