#include "cli/run/train_setup.h"

#include "cli/file_rows.h"
#include "cli/matching.h"
#include "cli/placement.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/spec.h"
#include "fokker/core/text/text.h"
#include "fokker/data/labels.h"
#include "fokker/denoise/analytic.h"
#include "fokker/objective/registry.h"
#include "fokker/target/toys.h"

namespace fokker::cli {
namespace {

Prediction choose_prediction(const TrainSettings& s, const GaussianProcess& process) {
  // An energy's native value is that of EDM (EnergyDenoiser).
  if (s.predict == "energy") return Prediction::edm();
  if (s.predict == "auto") return default_prediction(process);
  const auto names = prediction_names();
  check(std::find(names.begin(), names.end(), s.predict) != names.end(),
        "unknown prediction '{}'; valid names: {}", s.predict, join(names));
  return Prediction::from_name(s.predict);
}

TimeSampling choose_times(const TrainSettings& s, const GaussianProcess& process) {
  if (s.times == "auto") return {.law = default_times(process)};
  check(s.times == "uniform" || s.times == "log-normal",
        "times: expected uniform or log-normal but received '{}'", s.times);
  return {.law = s.times == "uniform" ? TimeSampling::Law::uniform : TimeSampling::Law::log_normal};
}

bool uses_unet(const TrainSettings& s, const Dataset& data) {
  check(s.network == "auto" || s.network == "mlp" || s.network == "unet",
        "network: expected mlp or unet but received '{}'", s.network);
  check(s.network != "unet" || data.is_images(), "network: a unet needs images but {} holds rows of shape {}",
        data.source, shape_string(data.event_shape()));
  check(s.network != "mlp" || !data.is_images(), "network: an mlp needs a table but {} holds images",
        data.source);
  return data.is_images();
}

std::unique_ptr<Network> build_network(const TrainSettings& s, const Dataset& data) {
  const bool energy = s.predict == "energy";
  if (uses_unet(s, data)) {
    check(!energy, "predict: an energy needs a table but {} holds images", data.source);
    return std::make_unique<UNet>(default_unet(data, s.unet_channels()), s.common.seed);
  }
  MlpOptions mlp = fit_to(data, s.mlp);
  check(mlp.width > 0 && mlp.width <= 65536, "width: expected 1 to 65536 but received {}", mlp.width);
  check(mlp.depth > 0 && mlp.depth <= 1024, "depth: expected 1 to 1024 but received {}", mlp.depth);
  mlp.residual = !s.plain;
  mlp.energy = energy;
  return std::make_unique<Mlp>(mlp, s.common.seed);
}

TrainOptions choose_training(const TrainSettings& s, bool unet) {
  TrainOptions t;
  t.steps = s.steps > 0 ? s.steps : 3000;
  t.minutes = s.minutes;
  t.batch = s.batch > 0 ? s.batch : unet ? 32 : 512;
  t.learning_rate = s.learning_rate > 0 ? s.learning_rate : 2e-3;
  t.ema_decay = s.ema;
  t.gradient_clip = s.gradient_clip;
  t.weight_decay = s.weight_decay;
  t.log_every = unet ? 10 : 50;
  t.held_out_every = unet ? 100 : 500;
  t.held_out_rows = unet ? 256 : 2048;
  t.checkpoint_every = s.checkpoint_every > 0 ? s.checkpoint_every : unet ? 500 : 2000;
  check(s.steps >= 0 && s.batch >= 0 && s.learning_rate >= 0 && s.checkpoint_every >= 0,
        "train: expected steps, batch, learning rate and checkpoint-every to be positive");
  return t;
}

}  // namespace

Model TrainingPlan::model(const Network& weights) const {
  return {.network = weights.clone(),
          .process = process,
          .prediction = prediction,
          .denoiser_options = denoiser_options,
          .normalisation = normalisation,
          .columns = columns,
          .label_names = label_names,
          .label_column = label_column,
          .training = {}};
}

namespace {

constexpr int64_t most_components = 100'000;

/// The target's own mixture where it is one, else the empirical distribution of the training rows.
GaussianMixture data_law(const TrainSettings& s, const Dataset& training,
                         const Normalisation& normalisation) {
  if (s.data.starts_with("target:")) {
    const auto target = target_from(s.data.substr(7), s.file_reading().load_options());
    const GaussianMixture* mixture = as_gaussian_mixture(*target);
    if (mixture && mixture->components() <= 1024) return in_model_space(*mixture, normalisation);
  }
  check(
      training.size() <= most_components,
      "objective explicit: expected at most {} rows, as every step compares with all of them, but {} has {}",
      most_components, training.source, training.size());
  return GaussianMixture::empirical(normalisation.apply(training.values, at::kDouble));
}

}  // namespace

Dataset read_file(const TrainSettings& s, LoadOptions reading, const ModelData* known) {
  reading.label_column = s.label_column;
  reading.labels_path = s.labels;
  reading.mirrored = false;  // a held-out image must not have its mirror image in training
  if (!known) return read_data_file(s.data, reading);
  // Columns that were chosen are read as typed: another choice is another problem.
  Dataset data = reading.columns.empty() ? load_columns(s.data, columns_of(*known), reading)
                                         : read_data_file(s.data, reading);
  // Labels that the run does not know of are another problem, which is for the checkpoint to refuse.
  if (!known->label_names.empty()) place_labels(data, known->label_names, LabelUse::used);
  return data;
}

Dataset read_data(const TrainSettings& s, const ModelData* known) {
  const LoadOptions reading = s.file_reading().load_options();
  if (!s.data.starts_with("target:")) return read_file(s, reading, known);
  check(s.rows > 0, "rows: expected rows > 0 but received {}", s.rows);
  check(reading.columns.empty() && s.label_column.empty() && s.labels.empty(),
        "data: a target has no named columns and no labels");
  return draw_rows(s.data.substr(7), s.rows, Rng(s.common.seed).stream("data"), reading);
}

Split split_data(const TrainSettings& s, const Dataset& data) {
  // A held-out set larger than this tells nothing more.
  const double held_out = std::min(s.held_out, 10'000.0 / static_cast<double>(data.size()));
  Split parts = hold_out(data, held_out, Rng(s.common.seed).stream("split"));
  if (s.reading.flip) parts.training = with_mirrored(parts.training);
  return parts;
}

std::vector<std::string> prediction_names() {
  std::vector<std::string> names = Prediction::names();
  names.emplace_back("energy");
  return names;
}

/// Hardly any class is seen twice where a column of identifiers was taken for labels.
void warn_of_identifiers(const Dataset& data) {
  const int64_t classes = std::ssize(data.label_names);
  if (classes > 2 && 2 * classes > data.size())
    warn(fmt::format("{}: {} different labels in {} rows, {}: are they identifiers?", data.source, classes,
                     data.size(), list_labels(data.label_names)));
}

/// Refuses a row that the network cannot be given.
void check_rows(const Dataset& data, const Normalisation& normalisation) {
  if (data.is_images()) return;
  constexpr int64_t block = 65536;
  name_rows_of(data.source, [&] {
    for (int64_t first = 0; first < data.size(); first += block) {
      const Tensor rows = data.values.slice(0, first, std::min(first + block, data.size()));
      count_rows_from(first, [&] {
        check_finite_rows(normalisation.apply(rows, at::kFloat),
                          "it lies beyond the range of float32, in which the model computes");
      });
    }
  });
}

/// Names the first column in which a few far rows make the standard deviation: divided by it, the others are
/// a point that is smaller than the noise of the smallest times.
void warn_of_far_rows(const Dataset& data, const TrainSettings& s) {
  if (data.is_images() || s.normalise == "identity") return;
  for (int64_t c = 0; c < data.values.size(1); ++c) {
    const Tensor x = data.values.select(1, c).to(at::kDouble);
    const Tensor some = std::get<0>(x.narrow(0, 0, std::min<int64_t>(x.size(0), 10'000)).sort());
    const double low = some[some.size(0) / 4].item<double>(),
                 high = some[some.size(0) * 3 / 4].item<double>();
    const Tensor away = x - low;
    const int64_t row = away.abs().argmax().item<int64_t>();
    const double reach = std::abs(away[row].item<double>());
    const double spread = reach > 0 ? reach * (away / reach).std(false).item<double>() : 0;
    if (!(high > low && high - low < 1e-3 * spread)) continue;
    warn(fmt::format(
        "{}: column '{}': the middle half of its rows spans {:.3g}, but its standard deviation is "
        "{:.3g}, for row {} (from 0) is {:.6g}: to the model the others are one point; leave far rows "
        "out, or train on their logarithm",
        data.source, shown(data.columns.at(static_cast<size_t>(c))), high - low, spread, row,
        x[row].item<double>()));
    return;
  }
}

TrainingPlan make_plan(const TrainSettings& s) {
  check(s.held_out >= 0 && s.held_out < 1, "held-out: expected a fraction in [0, 1) but received {}",
        s.held_out);
  const GaussianProcess process(make_schedule(s.process));
  const Prediction prediction = choose_prediction(s, process);
  if (s.predict != "energy") check_prediction(prediction, process);
  // Without its description a run that is resumed is matched by its checkpoint alone.
  std::optional<ModelData> known;
  if (s.resume && std::filesystem::exists(std::filesystem::path(s.out) / "fokker.json"))
    known = load_model_data(s.out);
  const Dataset data = read_data(s, known ? &*known : nullptr);
  const bool unet = uses_unet(s, data);
  warn_of_identifiers(data);
  Split parts = split_data(s, data);
  Normalisation normalisation = default_normalisation(parts.training, parse_normalisation_kind(s.normalise));
  check_rows(data, normalisation);
  if (!data.columns.empty()) warn_of_far_rows(data, s);
  std::unique_ptr<Network> network = build_network(s, data);
  place(*network, s.common);
  const double spread = model_spread(parts.training, normalisation);
  ObjectiveChoice choice =
      make_objective({.objective = s.objective,
                      .weighting = s.weighting,
                      .times = choose_times(s, process),
                      .denoising_weighting = default_weighting(process),
                      .labels = data.labels.defined(),
                      .event_shape = data.event_shape(),
                      .data_law = [&] { return data_law(s, parts.training, normalisation); }});
  return {.data = std::move(parts),
          .normalisation = std::move(normalisation),
          .process = process,
          .prediction = prediction,
          .denoiser_options = default_denoiser_options(process, unet, s.predict == "energy"),
          .network = std::move(network),
          .objective = choice.objective,
          .objective_name = s.objective,
          .weighting_name = choice.weighting,
          .train = choose_training(s, unet),
          .rows = data.size(),
          .spread = spread,
          .columns = data.columns,
          .label_names = data.label_names,
          .label_column = data.label_column};
}

}  // namespace fokker::cli
