#include "fokker/format/training_record.h"

#include <algorithm>

namespace fokker {
namespace {

/// visit(key, member) in the order of the file.
template <typename Record, typename Visit>
void each_member(Record& r, Visit visit) {
  visit("data", r.data);
  visit("rows", r.rows);
  visit("held_out_rows", r.held_out_rows);
  visit("event_shape", r.event_shape);
  visit("labels", r.classes);
  visit("process", r.process);
  visit("prior", r.prior);
  visit("data_spread", r.data_spread);
  visit("predict", r.prediction);
  visit("objective", r.objective);
  visit("weighting", r.weighting);
  visit("network", r.network);
  visit("parameters", r.parameters);
  visit("steps", r.steps);
  visit("minutes", r.minutes);
  visit("batch", r.batch);
  visit("learning_rate", r.learning_rate);
  visit("ema", r.ema_decay);
  visit("seed", r.seed);
  visit("data_options", r.data_options);
  visit("machine", r.machine);
  visit("steps_done", r.steps_done);
  visit("seconds", r.seconds);
  visit("held_out_loss", r.held_out_loss);
  visit("incidents", r.incidents);
}

bool holds(const Json& value, const std::optional<std::string>&) {
  return value.is_string();
}
bool holds(const Json& value, const std::optional<int64_t>&) {
  return value.is_number_integer();
}
bool holds(const Json& value, const std::optional<uint64_t>&) {
  return value.is_number_unsigned();
}
bool holds(const Json& value, const std::optional<double>&) {
  return value.is_number();
}
bool holds(const Json& value, const std::optional<std::vector<int64_t>>&) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& x) { return x.is_number_integer(); });
}

template <typename T>
bool read(const Json& value, std::optional<T>& member) {
  if (!holds(value, member)) return false;
  member = value.get<T>();
  return true;
}
bool read(const Json& value, Json& member) {
  if (!value.is_object()) return false;
  member = value;
  return true;
}

}  // namespace

Json TrainingRecord::to_json() const {
  Json json = Json::object();
  const auto write = [&](const char* key, const auto& member) {
    if constexpr (std::is_same_v<decltype(member), const Json&>) {
      if (!member.is_null()) json[key] = member;
    } else {
      if (member) json[key] = *member;
    }
  };
  each_member(*this, write);
  json.update(more);
  return json;
}

TrainingRecord TrainingRecord::from_json(const Json& json) {
  TrainingRecord record;
  if (!json.is_object()) return record;
  record.more = json;
  each_member(record, [&](const char* key, auto& member) {
    if (json.contains(key) && read(json[key], member)) record.more.erase(key);
  });
  return record;
}

double recorded_spread(const TrainingRecord& record) {
  return record.data_spread.value_or(1.0);
}

}  // namespace fokker
