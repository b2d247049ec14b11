#include "cli/classifier_distance.h"
#include "cli/denoiser_source.h"
#include "cli/registry.h"
#include "fokker/core/error.h"
#include "fokker/data/load.h"
#include "fokker/evaluate/metrics.h"
#include "fokker/evaluate/score_error.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

struct EvaluateOptions {
  CommonOptions common;
  std::string samples, reference, run;
  int64_t n = 20'000, times = 16;
  ClassifierDistanceOptions classifier;
};

template <typename T>
Json as_json(const Tensor& tensor) {
  if (tensor.dim() == 0) return tensor.item<T>();
  Json array = Json::array();
  for (int64_t i = 0; i < tensor.size(0); ++i) array.push_back(as_json<T>(tensor[i]));
  return array;
}

Json comparison_json(const Comparison& c) {
  Json json = {{"samples", c.samples},
               {"reference", c.reference},
               {"dimension", c.dimension},
               {"energy_distance", c.energy_distance},
               {"mmd", c.mmd},
               {"mmd_bandwidth", c.mmd_bandwidth},
               {"sliced_wasserstein", c.sliced_wasserstein},
               {"c2st_accuracy", c.classifier.accuracy},
               {"c2st_standard_error", c.classifier.standard_error},
               {"mean_error", c.mean_error},
               {"covariance_error", c.covariance_error},
               {"mean_error_relative", c.mean_error_relative},
               {"covariance_error_relative", c.covariance_error_relative},
               {"p_value", c.test.p_value},
               {"scaled", c.scaled}};
  if (!c.modes) return json;
  json["mode_weights"] = as_json<double>(c.modes->weights);
  json["mode_weights_expected"] = as_json<double>(c.modes->expected);
  json["mode_counts"] = as_json<int64_t>(c.modes->counts);
  json["mode_means"] = as_json<double>(c.modes->means);
  if (c.modes->covariances.defined()) json["mode_covariances"] = as_json<double>(c.modes->covariances);
  return json;
}

std::string comparison_text(const Comparison& c) {
  std::string text = fmt::format(
      "{} samples against {} of the reference, dimension {}\n"
      "energy distance      {:.5g}\nMMD (squared)        {:.5g}\nsliced Wasserstein   {:.5g}\n"
      "classifier accuracy  {:.4f} (0.5 means indistinguishable; standard error {:.4f})\n"
      "permutation p-value  {:.4f}\n"
      "mean error           {:.5g} ({:.4g} standard deviations)\ncovariance error     {:.5g} ({:.4g} "
      "relative)\n",
      c.samples, c.reference, c.dimension, c.energy_distance, c.mmd, c.sliced_wasserstein,
      c.classifier.accuracy, c.classifier.standard_error, c.test.p_value, c.mean_error, c.mean_error_relative,
      c.covariance_error, c.covariance_error_relative);
  if (!c.modes || c.modes->weights.size(0) > 32) return text;
  for (int64_t k = 0; k < c.modes->weights.size(0); ++k) {
    std::string mean;
    for (int64_t i = 0; i < std::min<int64_t>(c.modes->means.size(1), 8); ++i)
      mean += fmt::format("{}{:.4g}", i ? ", " : "", c.modes->means[k][i].item<double>());
    text += fmt::format("mode {:<3} weight {:.4f} (expected {:.4f}), mean ({})\n", k,
                        c.modes->weights[k].item<double>(), c.modes->expected[k].item<double>(), mean);
  }
  return text;
}

/// Equally spaced times between the process's first useful one and 1.
std::vector<double> times_of(const GaussianProcess& process, int64_t count) {
  const double first = process.time_min();
  std::vector<double> times;
  for (int64_t i = 0; i < count; ++i)
    times.push_back(first + (1 - first) * static_cast<double>(i + 1) / static_cast<double>(count));
  return times;
}

/// A trained score against the exact one of the law that the data came from, in the model's space.
int evaluate_run(const EvaluateOptions& o) {
  check(o.samples.empty(), "expected either --samples or --run");
  check(o.classifier.data.empty(), "classifier-data: expected --samples FILE of images");
  check(o.reference.starts_with("target:"),
        "reference: a run is compared with target:TARGET but received '{}'", o.reference);
  check(o.times > 0, "times: expected times > 0 but received {}", o.times);
  const DenoiserSource source = open_denoiser(o.common, {.run = o.run});
  const auto target = target_from(o.reference.substr(7));
  const GaussianMixture* mixture = as_gaussian_mixture(*target);
  check(mixture != nullptr, "reference: target '{}' has no closed form under noise", o.reference.substr(7));
  check(mixture->dimension() == source.dimension(),
        "reference: expected a target of dimension {} but it has {}", source.dimension(),
        mixture->dimension());
  const AnalyticDenoiser exact(in_model_space(*mixture, source.normalisation), source.process());
  const ScoreError error = score_error(*source.denoiser, exact, times_of(source.process(), o.times), o.n,
                                       Rng(o.common.seed).stream("score error"), source.type);
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
  json["classifier_frechet_distance_real"] = d.real;
  json["classifier_accuracy"] = d.accuracy;
  text += fmt::format(
      "Fréchet distance     {:.5g} in the features of a small classifier (as many real images: {:.5g}; its "
      "accuracy {:.4f}; not FID)\n",
      d.samples, d.real, d.accuracy);
}

int run_evaluate(const EvaluateOptions& o, const Command& command) {
  if (o.run.empty()) command.refuse({"times"}, "only scores are compared at times; expected --run RUN");
  if (o.run.empty() && !o.reference.starts_with("target:"))
    command.refuse({"n"}, "a file has its own rows; expected --reference target:TARGET");
  check(o.classifier.labels.empty() || !o.classifier.data.empty(),
        "classifier-labels: expected --classifier-data FILE, the images that they label");
  if (!o.run.empty()) return evaluate_run(o);
  check(!o.samples.empty(), "expected --samples FILE, or --run RUN");
  const bool classified = !o.classifier.data.empty();
  const Dataset drawn = load_data(o.samples);
  CompareOptions options{.seed = o.common.seed, .modes = {}};
  std::optional<ClassifierDistance> distance;
  Tensor reference;
  if (o.reference.starts_with("target:")) {
    check(!classified, "classifier-data: expected --reference to be a file of images");
    const auto target = target_from(o.reference.substr(7));
    check(target->can_sample(), "reference: target '{}' cannot be sampled", o.reference.substr(7));
    check(o.n > 1, "n: expected at least 2 reference samples but received {}", o.n);
    reference = target->sample(o.n, Rng(o.common.seed).stream("reference"));
    if (const auto* mixture = as_gaussian_mixture(*target);
        mixture && mixture->components() > 1 && mixture->components() <= 1024)
      options.modes = *mixture;
  } else {
    const Dataset held = load_data(o.reference);
    if (classified) distance = classifier_distance(drawn, held, o.classifier, o.common);
    reference = flat_rows(held);
  }
  const Tensor samples = flat_rows(drawn);
  check_input(samples.size(1) == reference.size(1),
              "{}: expected {} columns as in the reference but it has {}", o.samples, reference.size(1),
              samples.size(1));
  const Comparison comparison = compare(samples, reference, options);
  Json json = comparison_json(comparison);
  std::string text = comparison_text(comparison);
  if (distance) add_classifier_distance(*distance, json, text);
  print_result(o.common, json, text);
  return 0;
}

}  // namespace

void add_evaluate(CommandLine& line) {
  add_command<EvaluateOptions>(
      line,
      {"evaluate", "Measure how far samples are from a reference, or a trained score from the exact one",
       "fokker evaluate --samples samples.csv --reference target:two-modes\n  "
       "fokker evaluate --run run --reference target:two-modes"},
      [](Command& c, EvaluateOptions& o) {
        c.option("--samples", o.samples, "File of samples");
        c.option("--run", o.run, "Compare the score of this run with the exact one of target:TARGET instead");
        c.option("--reference", o.reference, "File, or target:TARGET", Command::Need::required);
        c.option("--n", o.n, "Samples drawn from a target reference");
        c.option("--times", o.times, "Times at which scores are compared");
        c.option("--classifier-data", o.classifier.data,
                 "Labelled images: adds the Fréchet distance in the features of a small classifier trained "
                 "on them");
        c.option("--classifier-labels", o.classifier.labels, "Their labels, one per row");
      },
      run_evaluate);
}

}  // namespace fokker::cli
