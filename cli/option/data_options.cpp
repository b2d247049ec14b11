#include "cli/option/data_options.h"

#include <charconv>
#include <map>

#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker::cli {
namespace {

constexpr const char* chosen_by_file = "auto";

std::optional<char> separator_of(const std::string& text, const char* option = "separator") {
  static const std::map<std::string, char> names = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'},
                                                    {"\\t", '\t'},  {"blanks", ' '},    {"bar", '|'}};
  if (text == chosen_by_file) return {};
  if (const auto named = names.find(text); named != names.end()) return named->second;
  check(text.size() == 1 && can_separate(text[0]),
        "{}: expected a character such as , or ; (or comma, semicolon, tab, bar, blanks, auto) but received "
        "'{}'",
        option, shown(text));
  return text[0];
}

std::optional<bool> header_of(const std::string& text, const char* option = "header") {
  check(text == chosen_by_file || text == "yes" || text == "no",
        "{}: expected yes, no or auto but received '{}'", option, shown(text));
  if (text == chosen_by_file) return {};
  return text == "yes";
}

std::optional<char> decimal_of(const std::string& text, const char* option = "decimal") {
  if (text == chosen_by_file) return {};
  check(text == "." || text == "," || text == "point" || text == "comma",
        "{}: expected . or , (or point, comma, auto) but received '{}'", option, shown(text));
  return text == "." || text == "point" ? '.' : ',';
}

TextEncoding encoding_of(const std::string& text, const char* option = "encoding") {
  check(text == "utf-8" || text == "latin-1", "{}: expected utf-8 or latin-1 but received '{}'", option,
        shown(text));
  return text == "latin-1" ? TextEncoding::latin1 : TextEncoding::utf8;
}

/// "32" or "WIDTHxHEIGHT"; "" is no size.
ImageSize image_size_of(const std::string& text) {
  if (text.empty()) return {};
  const size_t cross = text.find('x');
  const auto side = [&](const std::string& part) -> int64_t {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    check(
        error == std::errc() && end == part.data() + part.size() && value >= 1 && value <= largest_image_side,
        "size: expected WIDTHxHEIGHT such as 32x24, or one number, of 1 to {} but received '{}'",
        largest_image_side, shown(text));
    return value;
  };
  return {side(text.substr(0, cross)), side(cross == std::string::npos ? text : text.substr(cross + 1))};
}

}  // namespace

std::vector<std::string> DataOptions::column_names() const {
  std::vector<std::string> names;
  for (const std::string& typed : columns) {
    check(std::count(typed.begin(), typed.end(), '"') % 2 == 0,
          "columns: a double quote is not closed in '{}'", shown(typed));
    for (const std::string& name : split_cells(typed, {','})) {
      check(!name.empty(), "columns: expected names separated by commas but received '{}'", shown(typed));
      names.push_back(name);
    }
  }
  return names;
}

LoadOptions DataOptions::load_options() const {
  LoadOptions options;
  options.csv = {.separator = separator_of(separator),
                 .header = header_of(header),
                 .decimal = decimal_of(decimal),
                 .encoding = encoding_of(encoding)};
  check(!options.csv.separator || options.csv.separator != options.csv.decimal,
        "separator: expected another character than the decimal one but received '{}' for both", separator);
  options.columns = column_names();
  check(channels >= 0 && channels <= most_image_channels,
        "channels: expected 1 to {} of images but received {}", most_image_channels, channels);
  options.array = array;
  options.channels = channels;
  options.image_size = image_size_of(size);
  options.mirrored = flip;
  return options;
}

Json DataOptions::to_json() const {
  return {{"separator", separator},
          {"header", header},
          {"decimal", decimal},
          {"encoding", encoding},
          {"columns", column_names()},
          {"array", array},
          {"channels", channels},
          {"size", size},
          {"flip", flip}};
}

DataOptions DataOptions::from_json(const Json& json) {
  DataOptions options;
  if (!json.is_object()) return options;
  options.separator = json.value("separator", options.separator);
  options.header = json.value("header", options.header);
  options.decimal = json.value("decimal", options.decimal);
  options.encoding = json.value("encoding", options.encoding);
  if (json.contains("columns"))
    for (const auto& name : json.at("columns"))
      options.columns.push_back(quoted_cell(name.get<std::string>()));
  options.array = json.value("array", options.array);
  options.channels = json.value("channels", options.channels);
  options.size = json.value("size", options.size);
  options.flip = json.value("flip", options.flip);
  return options;
}

DataOptions DataOptions::or_else(const DataOptions& other) const {
  const DataOptions untouched;
  DataOptions merged = *this;
  if (separator == untouched.separator) merged.separator = other.separator;
  if (header == untouched.header) merged.header = other.header;
  if (decimal == untouched.decimal) merged.decimal = other.decimal;
  if (encoding == untouched.encoding) merged.encoding = other.encoding;
  if (columns.empty()) merged.columns = other.columns;
  if (array.empty()) merged.array = other.array;
  if (channels == 0) merged.channels = other.channels;
  if (size.empty()) merged.size = other.size;
  merged.flip = flip || other.flip;
  return merged;
}

void describe_data(Command& c, DataOptions& o, const std::string& channels, const std::string& columns) {
  const std::string before = c.heading("Reading files");
  c.repeated("--columns", o.columns, columns);
  c.option(
      "--separator", o.separator,
      "Between the cells of a CSV file: a character, or comma, semicolon, tab, bar, blanks; auto finds it");
  c.option("--header", o.header, "Whether the first line of a CSV file holds names: yes, no or auto");
  c.option("--decimal", o.decimal, "Before decimals in a CSV file: . or , (auto finds it)");
  c.option("--encoding", o.encoding, "Of the text in a CSV file: utf-8 or latin-1");
  c.option("--array", o.array,
           "Of a .npz, .pt or .safetensors file with several arrays: the one to read, by name (without it x, "
           "or the "
           "only one)");
  c.option("--channels", o.channels, channels);
  c.option(
      "--size", o.size,
      "WIDTHxHEIGHT (or one number) that images are brought to: the largest centred crop of that shape, then "
      "antialiased bilinear resizing");
  c.flag("--flip", o.flip, "Let each image be followed by its mirror image (train: those trained on)");
  c.heading(before);
}

CsvFormat WritingOptions::or_else(const CsvFormat& format) const {
  const CsvFormat typed{.separator = separator_of(out_separator, "out-separator"),
                        .header = header_of(out_header, "out-header"),
                        .decimal = decimal_of(out_decimal, "out-decimal")};
  CsvFormat merged = typed.or_else(format);
  if (out_encoding != chosen_by_file) merged.encoding = encoding_of(out_encoding, "out-encoding");
  return merged;
}

void describe_writing(Command& c, WritingOptions& o) {
  const std::string before = c.heading("Writing CSV files");
  c.option(
      "--out-separator", o.out_separator,
      "Between cells: a character, or comma, semicolon, tab, bar, blanks (auto: as in the model's data)");
  c.option("--out-header", o.out_header,
           "Whether the first line holds the columns' names: yes, no or auto, as in the model's data");
  c.option("--out-decimal", o.out_decimal, "Before decimals: . or , (auto: as in the model's data)");
  c.option("--out-encoding", o.out_encoding, "utf-8 or latin-1 (auto: as in the model's data)");
  c.heading(before);
}

const std::vector<std::string>& data_option_names() {
  static const std::vector<std::string> names = {"columns", "separator", "header", "decimal", "encoding",
                                                 "array",   "channels",  "size",   "flip"};
  return names;
}

Dataset read_data_file(const std::string& file, const LoadOptions& options) {
  Dataset data = load_data(file, options);
  for (const std::string& note : data.notes) message_once(fmt::format("{}: {}", file, note));
  for (const std::string& doubt : data.doubts) warn_once(fmt::format("{}: {}", file, doubt));
  return data;
}

}  // namespace fokker::cli
