#include "fokker/train/resolve.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/labels.h"
#include "fokker/data/load.h"
#include "fokker/denoise/analytic.h"
#include "fokker/denoise/table.h"
#include "fokker/nn/placement.h"
#include "fokker/objective/registry.h"
#include "fokker/objective/table.h"
#include "fokker/sample/method/exponential/dpmpp_2m.h"
#include "fokker/target/toys.h"
#include "fokker/train/data_doubts.h"
#include "fokker/train/known_rows.h"
#include "fokker/train/plain_table.h"
#include "fokker/train/trial.h"

namespace fokker {
namespace {

constexpr double most_held_out = 10'000;                        // a larger set tells nothing more
constexpr int64_t most_empirical = 100'000, most_exact = 1024;  // components of the law of the data

DenoiserSpec choose_spec(const Dataset& data, const Recipe& recipe) {
  if (recipe.warm_start) {
    check(
        !recipe.process && !recipe.prediction && !recipe.energy && !recipe.network,
        "warm start: the model brings its process, its prediction and its network; expected none beside it");
    return recipe.warm_start->spec;
  }
  const GaussianProcess process = recipe.process.value_or(GaussianProcess(VariancePreserving{}));
  if (data.schema) return table_denoiser_spec(process);
  check(!recipe.energy || !recipe.prediction, "predict: expected a prediction or an energy, not both");
  check(!recipe.energy || !data.is_images(), "predict: an energy needs a table but {} holds images",
        data.source);
  DenoiserSpec spec = default_denoiser(process, data.is_images(), recipe.energy);
  if (!recipe.prediction) return spec;
  spec.prediction = *recipe.prediction;
  if (spec.prediction.kind() == Prediction::Kind::edm) spec.sigma_data = spec.prediction.sigma_data();
  return spec;
}

/// The recipe's MLP, with the sizes that it leaves open.
MlpOptions choose_mlp(const Recipe& recipe, const MlpOptions& usual) {
  MlpOptions mlp = recipe.mlp;
  if (mlp.width < 0) mlp.width = usual.width;
  if (mlp.depth < 0) mlp.depth = usual.depth;
  check(mlp.width > 0 && mlp.width <= 65536, "width: expected 1 to 65536 but received {}", mlp.width);
  check(mlp.depth > 0 && mlp.depth <= 1024, "depth: expected 1 to 1024 but received {}", mlp.depth);
  return mlp;
}

std::unique_ptr<Network> choose_network(const Dataset& data, const TableMap* table, const Recipe& recipe,
                                        uint64_t seed) {
  if (recipe.warm_start) return recipe.warm_start->network->clone();
  if (recipe.network) {
    check(recipe.network->event_shape() == data.event_shape(),
          "network: expected one of rows of shape {} but received one of {}",
          shape_string(data.event_shape()), shape_string(recipe.network->event_shape()));
    const int64_t numbers = data.conditions.defined() ? data.conditions.size(1) : 0;
    check(recipe.network->condition_size() == numbers,
          "network: expected one conditioned on {} numbers but received one on {}", numbers,
          recipe.network->condition_size());
    return recipe.network->clone();
  }
  if (data.is_images()) return std::make_unique<UNet>(default_unet(data, recipe.unet_channels), seed);
  MlpOptions mlp = fit_to(
      data, choose_mlp(recipe, table ? default_table_mlp(recipe.options.minutes, table->schema().size())
                                     : default_mlp()));
  if (table) return std::make_unique<TableNetwork>(table->layout(), mlp, seed);
  mlp.energy = recipe.energy;
  return std::make_unique<Mlp>(mlp, seed);
}

/// Where conditions are numbers, pairs are few beside all that could be read into them: a network that is
/// held small errs half as much in the mean of a posterior (bench/calibration.py).
constexpr double conditional_weight_decay = 0.3;

TrainOptions choose_options(TrainOptions t, bool images, bool wide_table, bool conditional) {
  check(t.steps >= 0 && t.batch >= 0 && t.learning_rate >= 0 && t.checkpoint_every >= 0 &&
            t.held_out_every >= 0,
        "train: expected steps, batch, learning rate, checkpoint-every and held-out-every to be positive");
  const TrainOptions usual;
  const auto choose = [](auto& value, auto chosen) {
    if (value == 0) value = chosen;
  };
  choose(t.steps, usual.steps);
  choose(t.batch, images ? 32 : wide_table ? 1024 : usual.batch);
  choose(t.learning_rate, usual.learning_rate);
  if (t.weight_decay == -1) t.weight_decay = conditional ? conditional_weight_decay : 0;
  choose(t.log_every, images ? 10 : usual.log_every);
  choose(t.held_out_every, images ? 100 : usual.held_out_every);
  choose(t.held_out_rows, images ? 256 : usual.held_out_rows);
  choose(t.checkpoint_every, images ? 500 : 2000);
  check_options(t);
  return t;
}

std::shared_ptr<const TableMap> choose_table(const Dataset& training, const Recipe& recipe, const Rng& rng,
                                             std::vector<std::string>& notes) {
  if (recipe.warm_start) return recipe.warm_start->table;
  if (!training.schema) return nullptr;
  return std::make_shared<const TableMap>(
      TableMap::fit(rows_to_fit(training, notes), training.schema, rng.stream("table")));
}

/// Of a table of plain numbers.
std::optional<RowSurvey> survey_of(const Dataset& data, const Split& parts, const TableMap* table) {
  if (table || data.is_images()) return {};
  return survey_rows(data, parts);
}

Normalisation choose_normalisation(const Dataset& training, const TableMap* table, const Recipe& recipe,
                                   const std::optional<RowSurvey>& survey) {
  if (table) return Normalisation::identity({table->layout().dims()});
  if (recipe.warm_start) return recipe.warm_start->normalisation.of_type(training.type());
  return default_normalisation(training, recipe.normalisation, survey ? &survey->training : nullptr);
}

/// The law that the rows were drawn from where it is a mixture, else that of the training rows themselves.
GaussianMixture data_law(const Recipe& recipe, const Dataset& training, const Normalisation& normalisation) {
  const GaussianMixture* mixture = recipe.law ? as_gaussian_mixture(*recipe.law) : nullptr;
  if (mixture && mixture->components() <= most_exact)
    return in_model_space(*mixture, normalisation).to(recipe.device);
  check(
      training.size() <= most_empirical,
      "objective explicit: expected at most {} rows, as every step compares with all of them, but {} has {}",
      most_empirical, training.source, training.size());
  return GaussianMixture::empirical(normalisation.apply(training.loaded().values, at::kDouble))
      .to(recipe.device);
}

/// Its own times, weights and loss.
void choose_table_objective(TrainingPlan& plan, const Recipe& recipe) {
  TableObjective::Options options;
  if (recipe.times) options.times = *recipe.times;
  options.always_given = plan.table->with_sources(plan.condition.places);
  plan.times = options.times;
  plan.objective = std::make_shared<TableObjective>(options);
  plan.objective_name = "denoising";
  plan.weighting_name = "each part's own uncertainty";
}

/// Columns that others determine.
void note_twins(TrainingPlan& plan) {
  const Schema& schema = plan.table->schema();
  for (int64_t j = 0; j < schema.size(); ++j)
    if (const int64_t source = plan.table->twin_of(j); source >= 0)
      plan.notes.push_back(fmt::format(
          "column '{}' follows from '{}': each value of one goes with one of the other",
          schema.columns[static_cast<size_t>(j)].name, schema.columns[static_cast<size_t>(source)].name));
}

void note_data(TrainingPlan& plan, const Recipe& recipe) {
  if (plan.table) note_twins(plan);
  if (plan.data.held_out.size() == 0 && recipe.held_out > 0)
    plan.notes.push_back(fmt::format("no row is held out: {} of {} rows is less than half of one",
                                     recipe.held_out, plan.rows));
}

void choose_objective(TrainingPlan& plan, const Recipe& recipe) {
  if (plan.table) return choose_table_objective(plan, recipe);
  plan.times = recipe.times.value_or(TimeSampling{.law = default_times(plan.spec.process)});
  if (const auto* own = std::get_if<std::shared_ptr<const Objective>>(&recipe.objective)) {
    check(*own != nullptr, "objective: expected an objective but received none");
    check(recipe.weighting == "auto" && !recipe.times,
          "objective: one that is an object has its own weights and times; expected none beside it");
    plan.objective = *own;
    plan.objective_name = "custom";
    plan.weighting_name = "none";
    return;
  }
  plan.objective_name = std::get<std::string>(recipe.objective);
  ObjectiveChoice choice =
      make_objective({.objective = plan.objective_name,
                      .weighting = recipe.weighting,
                      .times = plan.times,
                      .denoising_weighting = default_weighting(plan.spec.process),
                      .labels = plan.data.training.labels.defined() || plan.condition.any(),
                      .event_shape = plan.data.training.event_shape(),
                      .data_law = [&] { return data_law(recipe, plan.data.training, plan.normalisation); }});
  plan.objective = choice.objective;
  plan.weighting_name = choice.weighting;
}

/// How the rows of a file are found again, where the record can say it: a generator that is not a seed's own
/// splits them in a way that no record holds, as do labels that are no column of the file.
Json found_again(const Dataset& data, const Recipe& recipe, const Rng& rng) {
  if (!recipe.data_options.is_null()) return recipe.data_options;
  std::error_code error;
  const bool seeded = rng.uniform({4}).equal(Rng(rng.seed()).uniform({4}));
  const bool whole = (!data.labels.defined() || !data.label_column.empty()) &&
                     (!data.conditions.defined() || !data.condition_places.empty());
  if (!seeded || !whole || data.source.empty() || !std::filesystem::exists(data.source, error)) return {};
  return {{"path", std::filesystem::absolute(data.source, error).string()},
          {"label_column", data.label_column},
          {"labels", ""},
          {"rows", data.size()},
          {"held_out", recipe.held_out},
          {"seed", rng.seed()},
          {"flip", recipe.mirrored}};
}

/// The loss of one row, and one row drawn: errors that would come after hours.
void rehearse(const TrainingPlan& plan) {
  const Model model = plan.model(*plan.network);
  const Dataset row = plan.data.training.subset(at::zeros({1}, at::TensorOptions(at::kLong))).loaded();
  const at::TensorOptions type = input_type(*plan.network);
  Batch batch{.x0 = model.to_model(row.values).to(type),
              .label = row.labels.defined() ? row.labels.to(type.device()) : Tensor(),
              .step = 0,
              .labels_kept = !plan.network->knows_no_label()};
  if (row.conditions.defined()) batch.label = plan.condition.to_model(row.conditions, at::kFloat).to(type);
  if (plan.table) batch.levels = plan.table->encode(row.values).levels;
  plan.objective->loss(*model.denoiser(), batch, plan.rng);
  SampleOptions sampling{.sampler = std::make_shared<DpmPp2M>(),
                         .grid = detail::log_snr_grid(plan.spec.process, 4)};
  ask_as_rows(model, &row, 1, sampling);
  detail::trial_row(model, plan.rng.stream("trial"), sampling);
}

/// The best weights, and patience, go by the held-out loss.
void check_held_out(const TrainOptions& options, const Split& parts, const std::string& source) {
  check((!options.keep_best && options.patience == 0) || parts.held_out.size() > 0,
        "keep-best, patience: they go by the held-out loss, but no row of {} is held out: expected held-out "
        "rows",
        source);
}

}  // namespace

Split training_split(const Dataset& data, double held_out, bool mirrored, const Rng& rng) {
  check(held_out >= 0 && held_out < 1, "held-out: expected a fraction in [0, 1) but received {}", held_out);
  check(data.size() > 0, "train: expected at least one row of data");
  const double most = most_held_out / static_cast<double>(data.size());
  Split parts = hold_out(data, std::min(held_out, most), rng.stream("split"));
  // A held-out image must not have its mirror image in training.
  if (mirrored) parts.training = with_mirrored(parts.training);
  return parts;
}

TrainingPlan resolve(const Dataset& given, const Recipe& recipe, const Rng& rng) try {
  std::vector<std::string> notes;
  const Dataset data = known_rows(typed_or_plain(given, recipe, notes), recipe);
  DenoiserSpec spec = choose_spec(data, recipe);
  if (!spec.is_energy()) check_prediction(spec.prediction, spec.process);
  Split parts = training_split(data, recipe.held_out, recipe.mirrored, rng);
  check_held_out(recipe.options, parts, data.source);
  const auto table = choose_table(parts.training, recipe, rng, notes);
  const std::optional<RowSurvey> survey = survey_of(data, parts, table.get());
  Normalisation normalisation = choose_normalisation(parts.training, table.get(), recipe, survey);
  if (survey) check_rows(data, normalisation, *survey);
  ConditionMap condition = choose_condition(parts.training, table.get(), normalisation, recipe);
  auto network = choose_network(data, table.get(), recipe, rng.seed());
  place(*network, recipe.device, Precision::automatic);
  place(*network, recipe.device, precision_of_samples(*network, recipe.precision));
  const double spread = table ? 1 : model_spread(parts.training, normalisation);
  TrainingPlan plan{.data = std::move(parts),
                    .normalisation = std::move(normalisation),
                    .table = table,
                    .spec = spec,
                    .network = std::move(network),
                    .precision = recipe.precision,
                    .objective = nullptr,
                    .objective_name = {},
                    .weighting_name = {},
                    .times = {},
                    .options = choose_options(recipe.options, data.is_images(),
                                              table && table->schema().size() > few_columns,
                                              data.conditions.defined() && !data.is_images()),
                    .rng = rng,
                    .rows = data.size(),
                    .drawn = recipe.law != nullptr && !data.source.empty(),
                    .spread = spread,
                    .prior = prior_fit(spec.process, spread),
                    .columns = data.columns,
                    .label_names = data.label_names,
                    .label_column = data.label_column,
                    .condition = std::move(condition),
                    .format = data.format,
                    .data_options = found_again(data, recipe, rng),
                    .content = survey ? survey->content : ""};
  plan.notes = std::move(notes);
  choose_objective(plan, recipe);
  plan.warnings =
      data_doubts(data, plan.data, recipe.warm_start ? plan.normalisation.kind() : recipe.normalisation,
                  plan.normalisation, survey);
  note_data(plan, recipe);
  rehearse(plan);
  return plan;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
