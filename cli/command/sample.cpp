#include <charconv>

#include "cli/denoiser_source.h"
#include "cli/langevin.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/registry.h"
#include "cli/run/prior.h"
#include "cli/sampling.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/target/toys.h"
#include "fokker/train/defaults.h"
#include "fokker/train/sample_model.h"

namespace fokker::cli {
namespace {

/// The law of x_t where it is known: rows at time t.
using ExactStart = std::function<Tensor(double t)>;

/// Samples of a target's exact denoiser, from the prior, or from the exact law where given: from N(0, I) the
/// modes of two-modes end with 0.6 per cent too much or too little.
Samples run_exact(const SampleOptions& o, const AnalyticDenoiser& denoiser, const ExactStart& start) {
  const int64_t dimension = denoiser.target().dimension();
  check_output_holds(o.out, {dimension});
  const GaussianProcess& process = denoiser.process();
  const ToUserUnits as_it_is = [](const Tensor& x) { return x; };
  WatchedRun run(o, {.process = process, .rows = o.n, .event = {dimension}, .to_user = as_it_is});
  const Rng rng(o.common.seed);
  IntegrateOptions options{.noise = nullptr, .block = run.block(), .observers = run.observers()};
  Samples samples;
  const Tensor some = denoiser.target().sample(4096, rng.stream("spread"));
  if (!start) samples.prior = judge_prior(process, data_spread(some), run.grid());
  warn_of_last_step(process, smallest_deviation(some), *run.sampler(), run.grid());
  if (start) options.noise = rng.stream("sampler").noise_source(at::kDouble);
  const Integration result =
      start ? integrate(denoiser, *run.sampler(), run.grid(), start(run.grid().times().front()), options)
            : generate(denoiser, *run.sampler(), run.grid(), {o.n, dimension}, rng, at::kDouble, options);
  run.finish();
  samples.rows.values = result.x;
  samples.evaluations = result.evaluations;
  if (run.sampler()->adaptive()) samples.rejected = result.rejected;
  return samples;
}

/// A chain on the target itself, or with a process on the exact law of x_t.
Samples run_target_kernel(const SampleOptions& o) {
  const KernelChoice choice = make_kernel(o.sampler, o.step_size);
  std::unique_ptr<Distribution> law = target_from(o.target, o.reading.load_options());
  if (!o.process.empty()) {
    const AnalyticDenoiser denoiser =
        exact_denoiser(o.target, GaussianProcess(make_schedule(o.process)), o.reading.load_options());
    const double t = choice.time >= 0 ? choice.time : denoiser.process().time_min();
    law = std::make_unique<GaussianMixture>(denoiser.marginal(t));
  } else {
    check(choice.time < 0, "{}: a time needs a --process", choice.kernel->name());
  }
  const Tensor start = chain_start(o.start, o.n, {law->dimension()}, Rng(o.common.seed));
  return run_kernel(o, choice, *law, start, [](const Tensor& x) { return x; });
}

Samples sample_target(const SampleOptions& o) {
  if (is_chain(o.sampler)) return run_target_kernel(o);
  if (drawn_directly(o)) {
    const auto target = target_from(o.target, o.reading.load_options());
    check_output_holds(o.out, {target->dimension()});
    check(target->can_sample(), "target '{}' cannot be sampled directly; give a --process and a --sampler",
          o.target);
    return {.rows = {.values = target->sample(o.n, Rng(o.common.seed).stream("target"))}};
  }
  // Annealing is defined on mu * N(0, sigma^2 I), a process that only adds noise.
  const std::string usual = o.sampler.starts_with("annealed-langevin") ? "ve" : "vp";
  const std::string process = o.process.empty() ? usual : o.process;
  const AnalyticDenoiser denoiser =
      exact_denoiser(o.target, GaussianProcess(make_schedule(process)), o.reading.load_options());
  ExactStart start;  // annealing is there to do without one
  if (!o.sampler.starts_with("annealed-langevin"))
    start = [&](double t) { return denoiser.marginal(t).sample(o.n, Rng(o.common.seed).stream("prior")); };
  return run_exact(o, denoiser, start);
}

/// What share of the samples each mode of a mixture got.
std::optional<ModeStatistics> count_modes(const SampleOptions& o, const Tensor& samples) {
  if (o.target.empty()) return {};
  const auto target = target_from(o.target, o.reading.load_options());
  const GaussianMixture* mixture = as_gaussian_mixture(*target);
  if (!mixture || mixture->components() < 2 || mixture->components() > 32) return {};
  return mode_weights(samples, *mixture);
}

/// Adds to the JSON object and returns the text.
std::string describe(const Samples& samples, const std::optional<ModeStatistics>& modes, Json& json) {
  std::string text;
  if (!samples.prior.is_null()) json["prior"] = samples.prior;
  if (samples.evaluations > 0) text += fmt::format("evaluations {} per sample\n", samples.evaluations);
  if (samples.rejected) {
    json["rejected"] = *samples.rejected;
    text += fmt::format("rejected {} steps\n", *samples.rejected);
  }
  if (samples.acceptance) {
    json["acceptance"] = *samples.acceptance;
    text += fmt::format("acceptance {:.4f}\n", *samples.acceptance);
  }
  if (samples.drawn) {
    json["drawn"] = *samples.drawn;
    text += fmt::format("drawn {} rows, of which {} that meet the conditions were kept\n", *samples.drawn,
                        samples.rows.size());
  }
  if (!modes) return text;
  json["mode_weights"] = json["mode_weights_expected"] = Json::array();
  for (int64_t k = 0; k < modes->weights.size(0); ++k) {
    const double weight = modes->weights[k].item<double>(), expected = modes->expected[k].item<double>();
    json["mode_weights"].push_back(weight);
    json["mode_weights_expected"].push_back(expected);
    text += fmt::format("mode {:<3} weight {:.4f} (expected {:.4f})\n", k, weight, expected);
  }
  return text;
}

/// Rows with what is not finite: of a table with a schema a cell that is missing is NaN, where some may be.
int64_t count_broken(const Dataset& rows) {
  Tensor broken = rows.values.flatten(1).isfinite().logical_not();
  if (rows.schema)
    for (int64_t j = 0; j < rows.schema->size(); ++j)
      if (!rows.schema->columns[static_cast<size_t>(j)].missing.empty())
        broken.select(1, j) &= rows.values.select(1, j).isnan().logical_not();
  return broken.any(1).sum().item<int64_t>();
}

int run_sample(const SampleOptions& typed, const Command& command) {
  const Ranks ranks = join_ranks(typed.timeout);
  ranks.on_root([&] { check_options(typed, command); });
  check(ranks.alone() || !typed.run.empty(),
        "several processes: they share samples of a RUN, not of a target");
  SampleOptions o = typed;
  if (o.n == 0) o.n = o.given_file.empty() ? 1000 : 1;
  Samples samples = o.run.empty() ? sample_target(o) : sample_model(o, ranks);
  samples.rows.format = o.writing.or_else(samples.rows.format);
  const int64_t n = samples.rows.size();
  if (const int64_t broken = count_broken(samples.rows); broken > 0)
    fail(ErrorKind::failed, "sample: {} of {} rows are not finite; nothing was written to {}", broken, n,
         o.out);
  if (!ranks.root()) return 0;
  write_samples(o.out, samples.rows);
  if (is_samples_folder(o.out)) {
    command.save_configuration(std::filesystem::path(o.out) / "config.toml");
    command.sign_pictures(o.out);
  }
  Json json = {{"n", n}, {"out", o.out}, {"evaluations", samples.evaluations}, {"seed", o.common.seed}};
  if (!o.label.empty()) json["label"] = o.label;
  if (!o.given.empty()) json["given"] = o.given;
  if (!o.given_file.empty()) json["given_file"] = o.given_file;
  const std::string text = describe(samples, count_modes(o, samples.rows.values), json);
  print_result(o.common, json, text);
  message(fmt::format("wrote {} samples to {}", n, o.out));
  return 0;
}

}  // namespace

void add_sample(CommandLine& line) {
  add_command<SampleOptions>(
      line,
      {"sample", "Draw samples from a trained model or from the exact denoiser of a target",
       "fokker sample run --n 1000 --out samples.csv\n  "
       "fokker sample run --given age=30..40 --given sex=Female --n 1000 --out samples.csv\n  "
       "fokker sample --target two-modes --sampler ula --steps 5000 --step-size 0.1 --out samples.csv\n  "
       "fokker sample --target two-modes --sampler annealed-langevin:levels=20,inner=100,step=0.1 --out "
       "samples.csv"},
      describe_options, run_sample);
}

}  // namespace fokker::cli
