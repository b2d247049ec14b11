#include "fokker/data/csv/csv_format.h"

#include <cctype>
#include <string_view>

#include "fokker/core/check.h"
#include "fokker/core/text/json_reader.h"

namespace fokker {
namespace {

std::optional<char> read_character(const detail::JsonReader& reader, const char* member) {
  if (!reader.json().contains(member)) return {};
  const auto text = reader.get<std::string>(member);
  check_input(text.size() == 1, "{}: {}: expected one character but found {}", reader.place(), member,
              text.size());
  return text[0];
}

}  // namespace

bool can_separate(char c) {
  return c == '\t' || (c >= ' ' && c < 127 && !std::isalnum(static_cast<unsigned char>(c)) &&
                       std::string_view("\"'.+-#_").find(c) == std::string_view::npos);
}

CsvFormat CsvFormat::or_else(const CsvFormat& other) const {
  CsvFormat merged = *this;
  if (!separator) merged.separator = other.separator;
  if (!header) merged.header = other.header;
  if (!decimal) merged.decimal = other.decimal;
  if (encoding == TextEncoding::utf8) merged.encoding = other.encoding;
  return merged;
}

Json CsvFormat::to_json() const {
  Json json = {{"encoding", encoding == TextEncoding::latin1 ? "latin-1" : "utf-8"}};
  if (separator) json["separator"] = std::string(1, *separator);
  if (header) json["header"] = *header;
  if (decimal) json["decimal"] = std::string(1, *decimal);
  return json;
}

CsvFormat CsvFormat::from_json(const Json& json, const std::string& file) {
  const detail::JsonReader reader(json, file);
  CsvFormat format{.separator = read_character(reader, "separator"),
                   .decimal = read_character(reader, "decimal")};
  check_input(!format.separator || can_separate(*format.separator), "{}: separator: it cannot separate cells",
              reader.place());
  check_input(!format.decimal || *format.decimal == '.' || *format.decimal == ',',
              "{}: decimal: expected . or ,", reader.place());
  if (json.contains("header")) format.header = reader.get<bool>("header");
  const auto encoding = reader.get<std::string>("encoding");
  check_input(encoding == "utf-8" || encoding == "latin-1", "{}: encoding: expected utf-8 or latin-1",
              reader.place());
  if (encoding == "latin-1") format.encoding = TextEncoding::latin1;
  return format;
}

}  // namespace fokker
