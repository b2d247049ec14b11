#include "fokker/sde/simulate.h"

#include "cli/denoiser_source.h"
#include "cli/law.h"
#include "cli/output.h"
#include "cli/plot/picture.h"
#include "cli/registry.h"
#include "cli/run/prior.h"
#include "cli/written_sde.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/data/array/npy.h"
#include "fokker/plot/chart/path_picture.h"
#include "fokker/process/noising.h"
#include "fokker/train/defaults.h"

namespace fokker::cli {
namespace {

struct SimulateOptions : SourceOptions {
  CommonOptions common;
  std::string direction, out, plot, start = "exact", sampler;
  std::string sde;
  double end = 1;
  bool without_divergence = false;
  PictureOptions picture;
  FilmOptions film;
  int64_t n = 1000, steps = 200;
};

const std::vector<std::string> directions = {"forward", "reverse", "flow"};

/// Every state of the particles: (steps + 1, n, d), in the order of the simulation.
struct Paths {
  Tensor states;
  std::vector<double> times;
};

const AnalyticDenoiser& exact_of(const DenoiserSource& source) {
  return dynamic_cast<const AnalyticDenoiser&>(*source.denoiser);
}

/// The noising chain on equal intervals: exact at every time.
Paths simulate_forward(const SimulateOptions& o, const DenoiserSource& source) {
  check(o.run.empty(),
        "simulate: forward needs data; expected --target (data:FILE noises the rows of a file)");
  const std::vector<double> times = uniform_times(0, 1, o.steps);
  const Tensor x0 = exact_of(source).target().sample(o.n, Rng(o.common.seed).stream("data"));
  const NoiseSource noise = Rng(o.common.seed).stream("forward").noise_source(at::kDouble);
  return {noising_paths(source.process(), x0, times, noise), times};
}

/// Where a backward simulation begins: the exact law of x at the first time, the prior, or its noise alone,
/// N(0, sigma(t)^2 I), from which the lecture on time reversal starts (section 12.3).
Tensor backward_start(const SimulateOptions& o, const DenoiserSource& source, double t) {
  check(o.start == "exact" || o.start == "prior" || o.start == "noise",
        "start: expected exact, prior or noise but received '{}'", o.start);
  const Rng rng = Rng(o.common.seed).stream("start");
  if (o.run.empty() && o.start == "exact") return exact_of(source).marginal(t).sample(o.n, rng);
  std::vector<int64_t> shape{o.n};
  shape.insert(shape.end(), source.event.begin(), source.event.end());
  if (o.start == "noise")
    return (source.process().sigma(t) * rng.normal(shape, {}, at::kDouble)).to(source.type);
  const double spread = o.run.empty()
                            ? data_spread(exact_of(source).target().sample(4096, rng.stream("spread")))
                            : recorded_spread(source.model->training);
  warn_of_prior(source.process(), spread, prior_fit(source.process(), spread), "paths");
  return source.process().sample_prior(shape, rng).to(source.type);
}

/// The reverse SDE or the probability-flow ODE from t = 1 (or where f and g end) to 0, on equal intervals.
Paths simulate_backward(const SimulateOptions& o, const DenoiserSource& source) {
  const std::string usual = o.direction == "flow" ? "heun" : "euler-maruyama";
  SamplerChoice choice = make_sampler(o.sampler.empty() ? usual : o.sampler, source.process());
  choice.grid = "uniform";  // frames at equal times
  const TimeGrid grid = make_grid(choice, source.process(), "", o.steps);
  const Tensor start = backward_start(o, source, grid.times().front());
  std::vector<int64_t> shape = start.sizes().vec();
  shape.insert(shape.begin(), grid.steps() + 1);
  Paths paths{at::empty(shape, at::kDouble), grid.times()};
  const Observer keep = [&](const Observation& seen) {
    paths.states[seen.step].narrow(0, seen.first_sample, seen.x.size(0)).copy_(source.to_user(seen.x));
  };
  integrate(
      *source.denoiser, *choice.sampler, grid, start,
      {.noise = Rng(o.common.seed).stream("sampler").noise_source(start.scalar_type()), .observers = {keep}});
  return paths;
}

/// One coordinate: paths over time. More: the first two coordinates at six times.
plot::Figure draw_paths(const SimulateOptions& o, const Tensor& states, const std::vector<double>& times,
                        const plot::ParticleFilm::Density& density) {
  const plot::PathPictureOptions options{.chart = chart_of(o.picture)};
  return states.size(2) == 1 ? plot::path_picture(states, times, density, options)
                             : plot::state_panels(states, times, options);
}

void show_paths(const SimulateOptions& o, const Paths& paths) {
  const Tensor states = paths.states.flatten(2);
  // Of a written diffusion p_t is known for the reversal alone, and is not drawn.
  const auto density = o.sde.empty() ? exact_density(o.target, o.process, o.reading.load_options())
                                     : plot::ParticleFilm::Density();
  if (!o.plot.empty()) draw_paths(o, states, paths.times, density).save(o.plot);
  if (o.film.file.empty()) return;
  save_film(o.film, {states, paths.times, density, {.chart = chart_of(o.picture)}});
}

/// A diffusion of the reader's own: what belongs to a process or a run is refused.
Paths simulate_sde(const SimulateOptions& o, const Command& command, Json& result) {
  command.refuse({"run", "process", "sampler", "start"}, "--sde is a diffusion of its own");
  WrittenPaths written = simulate_written({.text = o.sde,
                                           .direction = o.direction,
                                           .target = o.target,
                                           .end = o.end,
                                           .without_divergence = o.without_divergence,
                                           .n = o.n,
                                           .steps = o.steps},
                                          o.reading.load_options(), Rng(o.common.seed));
  if (!written.method.empty()) {
    message(written.method);
    result["law"] = written.method;
  }
  return {written.states, written.times};
}

Paths simulate_process(const SimulateOptions& o, const Command& command) {
  command.refuse({"end", "without-divergence"}, "it belongs to --sde");
  const DenoiserSource source = open_denoiser(o.common, o);
  return o.direction == "forward" ? simulate_forward(o, source) : simulate_backward(o, source);
}

int run_simulate(const SimulateOptions& o, const Command& command) {
  check(std::find(directions.begin(), directions.end(), o.direction) != directions.end(),
        "unknown direction '{}'; valid names: {}", o.direction, join(directions));
  check(o.n > 0, "n: expected n > 0 but received {}", o.n);
  check(o.steps > 0, "steps: expected steps > 0 but received {}", o.steps);
  if (o.direction == "forward")
    command.refuse({"sampler", "start"}, "the noising is exact at every time; expected reverse or flow");
  if (o.film.file.empty()) refuse_film(command);
  if (o.film.file.empty() && o.plot.empty())
    refuse_picture(command, "nothing is drawn; expected --plot or --animate");
  chart_of(o.picture);
  check(o.out.ends_with(".npy"), "{}: expected an output that ends in .npy", o.out);
  check_output(o.out);
  check_picture(o.plot);
  check_film(o.film);
  Json result = {{"out", o.out}, {"direction", o.direction}};
  const Paths paths = o.sde.empty() ? simulate_process(o, command) : simulate_sde(o, command, result);
  save_npy(o.out, paths.states);
  show_paths(o, paths);
  result["shape"] = paths.states.sizes().vec();
  result["times"] = paths.times;
  print_result(o.common, result, "");
  message(fmt::format("wrote {} to {}", shape_string(paths.states), o.out));
  return 0;
}

}  // namespace

void add_simulate(CommandLine& line) {
  add_command<SimulateOptions>(
      line,
      {"simulate", "Simulate the forward process, its reversal, or the probability flow",
       "fokker simulate --target four-points --process vp --direction reverse --n 2000 --steps 200 --out "
       "paths.npy "
       "--plot paths.png --animate paths.webp\n"
       "  fokker simulate --sde \"b=x-x^3; sigma=0.7\" --target my.json --direction reverse --out paths.npy"},
      [](Command& c, SimulateOptions& o) {
        c.option("run", o.run, "Run folder of a trained model (reverse and flow)");
        c.option("--target", o.target, "Use the exact denoiser of a known target");
        c.option("--process", o.process, "Process of the exact denoiser (default: vp)");
        c.option("--sde", o.sde,
                 "In place of a process, dx = b dt + sigma dB in x (or x1, x2, ...) and t: \"b=...; "
                 "sigma=...\", \"b1=...; "
                 "b2=...; sigma11=...; ...\", geometric or warped; --target is the law of x(0)");
        c.option("--end", o.end, "Of --sde: the time at which it ends");
        c.flag("--without-divergence", o.without_divergence,
               "Of --sde: leave div a out of the reversal or the flow");
        describe_data(c, o.reading);
        c.heading("Simulation");
        c.option(
            "--direction", o.direction,
            "forward: data to noise; reverse: the reverse SDE; flow: the probability-flow ODE, noise to data",
            Command::Need::required);
        c.option("--n", o.n, "Number of particles");
        c.option("--steps", o.steps, "Equal steps of t");
        c.option("--start", o.start,
                 "Begin backward runs in the exact law of x_1 (a run: the prior), the prior, or noise: N(0, "
                 "sigma(1)^2 I)");
        c.option("--sampler", o.sampler,
                 "Method of backward runs (default: euler-maruyama, or heun for flow)");
        c.heading("Output");
        c.option("--out", o.out, "Trajectories, (steps+1, n, d): .npy", Command::Need::required);
        c.option("--plot", o.plot, "Also draw a picture: .png, .svg or .pdf");
        describe_film(c, o.film);
        describe_picture(c, o.picture);
      },
      run_simulate);
}

}  // namespace fokker::cli
