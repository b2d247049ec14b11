#include "cli/settings_output.h"

#include <fmt/format.h>

namespace fokker::cli {

Json settings_json(const std::vector<course::Setting>& settings) {
  Json rows = Json::array();
  for (const course::Setting& s : settings)
    rows.push_back({{"name", s.name}, {"meaning", s.meaning}, {"default", s.usual}, {"range", s.range}});
  return rows;
}

std::string settings_text(const std::vector<course::Setting>& settings, int indent) {
  std::string text;
  for (const course::Setting& s : settings)
    text += fmt::format("{:<{}} --set {}=...: {} ({}; default: {})\n", "", indent, s.name, s.meaning, s.range,
                        s.usual);
  return text;
}

Json changes_json(const course::Changes& changes) {
  Json json = Json::object();
  for (const auto& [name, value] : changes) json[name] = value;
  return json;
}

}  // namespace fokker::cli
