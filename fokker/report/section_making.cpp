#include "fokker/core/machine.h"
#include "fokker/data/labels.h"
#include "fokker/report/sections.h"

namespace fokker::report {
namespace {

constexpr size_t kLongestFact = 400;

/// What was recorded as text, or "not recorded".
std::string fact(const std::optional<std::string>& value) {
  return value ? shorten(*value, kLongestFact) : "not recorded";
}
std::string fact(std::optional<int64_t> value) {
  return value ? thousands(*value) : "not recorded";
}
std::string fact(std::optional<double> value) {
  return value ? number(*value) : "not recorded";
}
/// The same of a member of an object.
std::string fact(const Json& object, const char* key) {
  if (!object.contains(key) || object[key].is_null()) return "not recorded";
  const Json& value = object[key];
  if (value.is_number_integer()) return thousands(value.get<int64_t>());
  if (value.is_number()) return number(value.get<double>());
  return shorten(value.is_string() ? value.get<std::string>() : json_text(value), kLongestFact);
}

/// "width 128, depth 4": the parts of an object, but its type.
std::string parts(const Json& json) {
  std::string text;
  for (const auto& [key, value] : json.items()) {
    if (key == "type" || key.starts_with("_")) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, fact(json, key.c_str()));
  }
  return text;
}

std::string network_text(const Material& m) {
  const Model& model = m.run.model;
  return fmt::format("{}, {} parameters: {}", m.images() ? "U-Net" : "MLP",
                     thousands(model.network->parameter_count()),
                     shorten(parts(model.network->config()), kLongestFact));
}

std::string process_text(const Material& m) {
  const Json config = m.run.model.spec.process.schedule()->config();
  const std::string name = config.value("type", "");
  const std::string rest = parts(config);
  return rest.empty() ? name : shorten(fmt::format("{}: {}", name, rest), kLongestFact);
}

std::string budget(const TrainingRecord& training) {
  const double minutes = training.minutes.value_or(0);
  const std::string planned =
      minutes > 0 ? fmt::format("{} minutes", number(minutes)) : fact(training.steps) + " steps";
  return fmt::format("{}; done {} in {} s", planned, fact(training.steps_done), fact(training.seconds));
}

Pairs machine_facts(const Json& machine) {
  if (!machine.is_object()) return {{"Machine", "not recorded"}};
  return {{"fokker", fact(machine, "fokker")},
          {"libtorch", fact(machine, "libtorch")},
          {"Compiler", fact(machine, "compiler")},
          {"System", fact(machine, "system")},
          {"Processor", fmt::format("{}, {} threads used of {}", fact(machine, "cpu"),
                                    fact(machine, "threads"), fact(machine, "cores"))},
          {"Products", fact(machine, "products")},
          {"Memory", fact(machine, "memory_gib") + " GiB"}};
}

std::string column_list(const Material& m) {
  std::string text;
  for (const std::string& name : m.names) text += (text.empty() ? "" : ", ") + name;
  return shorten(text, kLongestFact);
}

}  // namespace

void add_making(Page& page, const Material& m) {
  const TrainingRecord& training = m.run.model.training;
  page.section("How it was made");
  Pairs facts{
      {"Data", fact(training.data)},
      {"Rows", fmt::format("{}, of which {} held out", fact(training.rows), fact(training.held_out_rows))}};
  if (!m.names.empty()) facts.emplace_back("Columns", column_list(m));
  const Model& model = m.run.model;
  if (!model.label_names.empty())
    facts.emplace_back(
        model.label_column.empty() ? "Labels" : "Labels (" + shorten(model.label_column, kLongestFact) + ")",
        shorten(list_labels(model.label_names), kLongestFact));
  if (model.condition.any()) {
    std::string given;
    for (const std::string& name : model.condition.columns) given += (given.empty() ? "" : ", ") + name;
    facts.emplace_back("Given", shorten(given, kLongestFact));
  }
  const Pairs more{
      {"Process", process_text(m)},
      {"Prediction", m.run.model.spec.name()},
      {"Objective", fmt::format("{}, weighting {}", fact(training.objective), fact(training.weighting))},
      {"Network", network_text(m)},
      {"Training", budget(training)},
      {"Batch", fact(training.batch)},
      {"Optimiser", fmt::format("AdamW, peak learning rate {}, averaging {}", fact(training.learning_rate),
                                fact(training.ema_decay))},
      {"Seed", training.seed ? thousands(static_cast<int64_t>(*training.seed)) : "not recorded"}};
  facts.insert(facts.end(), more.begin(), more.end());
  page.facts(facts);
  page.heading("Versions and machine");
  page.facts(machine_facts(training.machine));
  if (!m.run.configuration.empty()) page.folded("Resolved configuration (config.toml)", m.run.configuration);
  page.folded("Model as saved (fokker.json, training)", json_text(training.to_json(), 2));
}

}  // namespace fokker::report
