#include "cli/run/train_setup.h"

#include "cli/matching.h"
#include "cli/registry.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/core/text/text.h"
#include "fokker/table/describe.h"

namespace fokker::cli {
namespace {

void choose_prediction(Recipe& recipe, const TrainSettings& s) {
  if (s.predict == "auto") return;
  recipe.energy = s.predict == "energy";
  if (recipe.energy) return;
  const auto names = denoiser_names();
  check(std::find(names.begin(), names.end(), s.predict) != names.end(),
        "unknown prediction '{}'; valid names: {}", s.predict, join(names));
  recipe.prediction = Prediction::from_name(s.predict);
}

void choose_times(Recipe& recipe, const TrainSettings& s) {
  if (s.times == "auto") return;
  check(s.times == "uniform" || s.times == "log-normal",
        "times: expected uniform or log-normal but received '{}'", s.times);
  recipe.times = {.law = s.times == "uniform" ? TimeSampling::Law::uniform : TimeSampling::Law::log_normal};
}

void check_network(const TrainSettings& s, const Dataset& data) {
  check(s.network == "auto" || s.network == "mlp" || s.network == "unet",
        "network: expected mlp or unet but received '{}'", s.network);
  check(s.network != "unet" || data.is_images(), "network: a unet needs images but {} holds rows of shape {}",
        data.source, shape_string(data.event_shape()));
  check(s.network != "mlp" || !data.is_images(), "network: an mlp needs a table but {} holds images",
        data.source);
}

void check_label_column(const TrainSettings& s) {
  check(s.label_column.empty() ||
            std::find(s.condition.begin(), s.condition.end(), s.label_column) == s.condition.end(),
        "condition: column '{}' is the label column: a column is the class or a condition, not both",
        shown(s.label_column));
}

void check_condition(const TrainSettings& s, const Dataset& data) {
  if (s.condition.empty()) return;
  check(!named_target(s.data), "condition: expected a file with columns, but {} draws rows of a target",
        s.data);
  check(!data.is_images(),
        "condition: {} holds images, which are conditioned on the rows of --labels FILE.npy, an array of "
        "floats "
        "(n, k)",
        data.source);
}

/// What was found in a table, a line for each column.
void say_schema(const std::string& file, const Dataset& data) {
  if (!data.schema) return;
  constexpr size_t most_said = 60;
  const auto lines = schema_lines(*data.schema);
  for (size_t i = 0; i < std::min(lines.size(), most_said); ++i) message("  " + lines[i]);
  if (lines.size() > most_said)
    message(fmt::format("  and {} more columns of {}, which schema.json describes", lines.size() - most_said,
                        file));
}

Dataset read_file(const TrainSettings& s, LoadOptions reading, const ModelData* known, bool leave_unread) {
  reading.label_column = s.label_column;
  reading.labels_path = s.labels;
  reading.stream = parse_streaming(s.stream);
  reading.leave_unread = leave_unread;
  reading.cache = s.cache;
  reading.mirrored = false;  // a held-out image must not have its mirror image in training
  if (!known) {
    check(!s.any_kinds() || table_columns(s.data, reading),
          "data: a schema and types are for CSV files, but {} is none", s.data);
    choose_kinds(s, reading);
    Dataset data = read_data_file(s.data, reading);
    say_schema(s.data, data);
    return data;
  }
  reading.typed = known->schema != nullptr;
  reading.schema = known->schema;
  // Columns that were chosen are read as typed: another choice is another problem.
  Dataset data = reading.columns.empty() ? load_columns(s.data, columns_of(*known), reading)
                                         : read_data_file(s.data, reading);
  if (!data.schema && !known->condition.places.empty() && !data.conditions.defined())
    data = take_conditions(std::move(data), known->condition.columns);
  // Labels that the run does not know of are another problem, which is for the checkpoint to refuse.
  if (!known->label_names.empty()) place_labels(data, known->label_names, LabelUse::used);
  return data;
}

}  // namespace

Dataset read_data(const TrainSettings& s, const ModelData* known, bool leave_unread) {
  const LoadOptions reading = s.file_reading().load_options();
  const auto target = named_target(s.data);
  check(!target || !s.any_kinds(), "data: the columns of a target have no kinds");
  if (!target) return read_file(s, reading, known, leave_unread);
  check(s.rows > 0, "rows: expected rows > 0 but received {}", s.rows);
  check(reading.columns.empty() && s.label_column.empty() && s.labels.empty(),
        "data: a target has no named columns and no labels");
  return draw_rows(*target, s.rows, Rng(s.common.seed).stream("data"), reading);
}

Split split_data(const TrainSettings& s, const Dataset& data) {
  return training_split(data, s.held_out, s.reading.flip, Rng(s.common.seed));
}

Json data_options(const TrainSettings& s) {
  std::error_code error;
  const auto absolute = [&](const std::string& file) {
    return file.empty() || named_target(file) ? file : std::filesystem::absolute(file, error).string();
  };
  Json json = {{"path", absolute(s.data)}, {"label_column", s.label_column}, {"labels", absolute(s.labels)},
               {"rows", s.rows},           {"held_out", s.held_out},         {"seed", s.common.seed}};
  if (!s.schema.empty()) json["schema"] = absolute(s.schema);
  if (!s.types.empty()) json["types"] = s.types;
  if (!s.condition.empty()) json["condition"] = s.condition;
  json["stream"] = s.stream;
  if (!s.cache.empty()) json["cache"] = absolute(s.cache);
  json.update(s.file_reading().to_json());
  return json;
}

/// Whether the rows are read by way of a file that reading them makes.
bool reads_by_cache(const TrainSettings& s) {
  LoadOptions reading = s.file_reading().load_options();
  reading.stream = parse_streaming(s.stream);
  return !named_target(s.data) && table_columns(s.data, reading) && stays_on_disk(s.data, reading);
}

/// Goes on from a run's model, which brings its process, prediction and network.
void go_on_from(Recipe& recipe, const std::string& run) {
  auto model = std::make_shared<Model>(load_model(run));
  model->network->set_requires_grad(true);
  recipe.warm_start = std::move(model);
  recipe.process.reset();
}

Recipe recipe_of(const TrainSettings& s) {
  Recipe recipe{.process = GaussianProcess(make_schedule(s.process)),
                .mlp = s.mlp,
                .unet_channels = s.unet_channels(),
                .objective = s.objective,
                .weighting = s.weighting,
                .normalisation = parse_normalisation_kind(s.normalise),
                .condition = s.condition,
                .held_out = s.held_out,
                .mirrored = s.reading.flip,
                .data_options = data_options(s),
                .precision = parse_precision(s.common.precision),
                .device = parse_device(s.common.device)};
  choose_prediction(recipe, s);
  choose_times(recipe, s);
  recipe.mlp.residual = !s.plain;
  if (!s.from.empty()) go_on_from(recipe, s.from);
  if (const auto target = named_target(s.data))
    recipe.law = target_from(*target, s.file_reading().load_options());
  TrainOptions& t = recipe.options;
  t.steps = s.steps;
  t.minutes = s.minutes;
  t.batch = s.batch;
  t.learning_rate = s.learning_rate;
  t.ema_decay = s.ema;
  t.gradient_clip = s.gradient_clip;
  t.weight_decay = s.weight_decay;
  t.checkpoint_every = s.checkpoint_every;
  t.held_out_every = s.held_out_every;
  t.workers = s.workers;
  t.keep_best = s.keep_best;
  t.patience = s.patience;
  t.on_divergence = parse_on_divergence(s.on_divergence);
  check(s.divergence_limit >= 0, "divergence-limit: expected a number >= 0 but received {}",
        s.divergence_limit);
  if (s.divergence_limit > 0) t.most_skips = t.most_rewinds = s.divergence_limit;
  return recipe;
}

TrainingPlan make_plan(const TrainSettings& s, const Ranks& ranks) {
  check_label_column(s);
  Recipe recipe = recipe_of(s);
  recipe.options.ranks = ranks;
  // Without its description a run that is resumed is matched by its checkpoint alone.
  std::optional<ModelData> known;
  if (s.resume && std::filesystem::exists(std::filesystem::path(s.out) / "fokker.json"))
    known = load_model_data(s.out);
  else if (recipe.warm_start)
    known = recipe.warm_start->data();
  const ModelData* model = known ? &*known : nullptr;
  // A cache is made by one process: the others find it.
  if (!ranks.alone())
    ranks.on_root([&] {
      if (reads_by_cache(s)) read_data(s, model, true);
    });
  const Dataset data = read_data(s, model, true);
  check_network(s, data);
  check_condition(s, data);
  return resolve(data, recipe, Rng(s.common.seed));
}

}  // namespace fokker::cli
