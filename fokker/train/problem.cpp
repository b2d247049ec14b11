#include "fokker/train/problem.h"

#include <set>

#include "fokker/train/content_hash.h"

namespace fokker {

std::string content_hash(const Tensor& tensor) {
  if (!tensor.defined()) return {};  // no held-out part
  ContentHash hash(tensor.nbytes());
  hash.add(tensor);
  return hash.text();
}

namespace {

/// Of rows wherever they are, the same.
std::string rows_hash(const Dataset& data) {
  if (!data.stored) return content_hash(data.values);
  int64_t width = 1;
  for (const int64_t size : data.event_shape()) width *= size;
  ContentHash hash(*data.stored);
  for_row_blocks(*data.stored, rows_per_block(width), [&](const Tensor& block, int64_t) { hash.add(block); });
  return hash.text();
}

bool has_rows(const Dataset& data) {
  return data.stored || data.values.defined();
}

std::string shown_value(const Json& value) {
  constexpr size_t longest = 40;
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

void compare(const std::string& path, const Json& before, const Json& now, std::vector<std::string>& found) {
  if (before == now) return;
  if (!before.is_object() || !now.is_object()) {
    found.push_back(fmt::format("{} was {} and is now {}", path, shown_value(before), shown_value(now)));
    return;
  }
  const auto member = [&](const std::string& key, const Json& json) {
    return json.contains(key) ? json[key] : Json();
  };
  const auto compare_member = [&](const std::string& key) {
    compare(path.empty() ? key : path + "." + key, member(key, before), member(key, now), found);
  };
  for (const char* kind : {"type", "_class_name", "name"})
    if (member(kind, before) != member(kind, now)) return compare_member(kind);
  std::set<std::string> keys;
  for (const Json* json : {&before, &now})
    for (const auto& item : json->items()) keys.insert(item.key());
  for (const std::string& key : keys) compare_member(key);
}

}  // namespace

Json data_record(const Split& data, const std::string& content) {
  const Dataset& training = data.training;
  Json record = {{"rows", training.size()},
                 {"held_out_rows", has_rows(data.held_out) ? data.held_out.size() : 0},
                 {"shape", training.event_shape()},
                 {"type", c10::toString(training.type())},
                 {"values", content.empty() ? rows_hash(training) + rows_hash(data.held_out) : content}};
  if (training.labels.defined())
    record["labels"] = content_hash(training.labels) + content_hash(data.held_out.labels);
  if (training.conditions.defined())
    record["conditions"] = content_hash(training.conditions) + content_hash(data.held_out.conditions);
  return record;
}

Json model_record(const Network& network, const DenoiserSpec& spec, const Normalisation& normalisation) {
  const Json record = spec.to_json();
  return {{"network", network.config()},
          {"process", record["process"]},
          {"prediction", record["prediction"]},
          {"input",
           {{"time", record["time_input"]["kind"]},
            {"scale", spec.time_input.scale},
            {"offset", spec.time_input.offset},
            {"scaled", spec.scale_input},
            {"sigma_data", spec.sigma_data}}},
          {"normalisation", std::string(to_string(normalisation.kind()))}};
}

std::vector<std::string> differences(const Json& before, const Json& now) {
  std::vector<std::string> found;
  compare("", before, now, found);
  return found;
}

}  // namespace fokker
