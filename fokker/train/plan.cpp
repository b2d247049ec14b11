#include "fokker/core/machine.h"
#include "fokker/train/problem.h"
#include "fokker/train/resolve.h"

namespace fokker {
namespace {

/// The law of times for a checkpoint: its name, with the rest where it is not the usual.
Json times_record(const TimeSampling& times) {
  const TimeSampling usual;
  const char* law = times.law == TimeSampling::Law::uniform ? "uniform" : "log-normal";
  const bool as_usual = times.method == usual.method && times.log_mean == usual.log_mean &&
                        times.log_deviation == usual.log_deviation;
  if (as_usual) return law;
  return {{"type", law},
          {"method", static_cast<int>(times.method)},
          {"log_mean", times.log_mean},
          {"log_deviation", times.log_deviation}};
}

/// What belongs to the problem and a trainer does not know (Trainer::describe).
Json described(const TrainingPlan& plan) {
  Json problem = {{"objective", plan.objective_name},
                  {"weighting", plan.weighting_name},
                  {"times", times_record(plan.times)},
                  {"columns", plan.columns},
                  {"labels", plan.label_names}};
  if (plan.condition.any()) problem["condition"] = plan.condition.columns;
  if (!plan.content.empty()) problem["data"] = data_record(plan.data, plan.content);
  // Rows drawn from a law differ in their last bits from machine to machine.
  if (plan.drawn)
    problem["data"] = {{"drawn_from", plan.data.training.source},
                       {"rows", plan.data.training.size()},
                       {"held_out_rows", plan.data.held_out.size()}};
  if (plan.table) problem["schema"] = plan.table->schema().to_json();
  return problem;
}

}  // namespace

Model TrainingPlan::model(const Network& weights) const {
  std::unique_ptr<Network> network = weights.clone();
  if (precision == Precision::automatic) network->set_bf16_products(std::nullopt);  // that was for training
  return {.network = std::move(network),
          .spec = spec,
          .normalisation = normalisation,
          .columns = columns,
          .label_names = label_names,
          .label_column = label_column,
          .training = record(),
          .table = table,
          .condition = condition,
          .format = format};
}

Model TrainingPlan::model(const Trainer& trainer) const {
  Model trained = model(trainer.averaged_network());
  trained.training.steps_done = trainer.step();
  trained.training.seconds = trainer.seconds();
  if (trainer.incidents().any()) trained.training.incidents = trainer.incidents().to_json();
  return trained;
}

std::optional<Model> TrainingPlan::best_model(const Trainer& trainer) const {
  const std::unique_ptr<Network> network = trainer.best_network();
  if (!network) return {};
  Model best = model(*network);
  best.training.steps_done = trainer.best()->step;
  best.training.held_out_loss = trainer.best()->loss;
  return best;
}

TrainingRecord TrainingPlan::record() const {
  const Dataset& training = data.training;
  TrainingRecord record{.rows = rows,
                        .held_out_rows = data.held_out.size(),
                        .event_shape = training.event_shape(),
                        .classes = std::ssize(label_names),
                        .process = spec.process.schedule()->config(),
                        .prior = prior_record(spec.process, spread, prior),
                        .data_spread = spread,
                        .prediction = spec.name(),
                        .objective = objective_name,
                        .weighting = weighting_name,
                        .network = network->config(),
                        .parameters = network->parameter_count(),
                        .steps = options.steps,
                        .minutes = options.minutes,
                        .batch = options.batch,
                        .learning_rate = options.learning_rate,
                        .ema_decay = options.ema_decay,
                        .seed = rng.seed(),
                        .data_options = data_options,
                        .machine = machine()};
  record.machine["products"] = network->bf16_products() ? "bfloat16" : "as weights";
  if (!training.source.empty()) record.data = training.source;
  return record;
}

Trainer TrainingPlan::trainer() const {
  Trainer trainer(network->clone(), spec, objective, data, normalisation, options, rng, table, condition);
  trainer.describe(described(*this));
  return trainer;
}

}  // namespace fokker
