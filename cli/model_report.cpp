#include "cli/model_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "fokker/core/text/text.h"

namespace fokker::cli {
namespace {

std::string sizes_text(const std::vector<int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

/// A long list of numbers, as a chain's table of betas, by its ends.
Json shortened(const Json& json) {
  constexpr size_t longest = 16;
  if (json.is_array() && json.size() > longest && json.front().is_number())
    return fmt::format("{}, {}, ... {} ({} numbers)", json_text(json[0]), json_text(json[1]),
                       json_text(json.back()), json.size());
  if (!json.is_object()) return json;
  Json result = Json::object();
  for (const auto& [key, value] : json.items()) result[key] = shortened(value);
  return result;
}

}  // namespace

Report report_of(ModelDescription model) {
  std::sort(model.tensors.begin(), model.tensors.end());
  Json tensors = Json::array();
  for (const auto& [name, shape] : model.tensors) tensors.push_back({{"name", name}, {"shape", shape}});
  Json json = {{"kind", "model"},
               {"event_shape", model.event_shape},
               {"columns", model.columns},
               {"labels", model.labels},
               {"label_column", model.label_column},
               {"condition", model.condition},
               {"parameters", model.parameters},
               {"process", model.process},
               {"prediction", model.prediction},
               {"network", model.network},
               {"training", model.training},
               {"tensors", tensors}};
  std::string text = fmt::format(
      "model         {}\nevent shape   {}\nparameters    {}\nprocess       {}\nprediction    {}\n",
      model.folder, sizes_text(model.event_shape), model.parameters, json_text(shortened(model.process)),
      model.prediction);
  if (!model.columns.empty()) text += fmt::format("columns       {}\n", join(model.columns));
  if (!model.condition.empty()) text += fmt::format("given         {}\n", join(model.condition));
  if (!model.labels.empty()) text += fmt::format("labels        {}\n", model.label_text);
  if (!model.label_column.empty()) text += fmt::format("label column  {}\n", model.label_column);
  text += fmt::format("network       {}\n", json_text(shortened(model.network)));
  for (const auto& [key, value] : model.training.items())
    text += fmt::format("{:<13} {}\n", key, json_text(shortened(value)));
  for (const auto& [name, shape] : model.tensors)
    text += fmt::format("  {:<48} {}\n", name, sizes_text(shape));
  return {std::move(json), std::move(text)};
}

}  // namespace fokker::cli
