#include "cli/option/toml.h"

#include <toml++/toml.h>

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/file/files.h"

namespace fokker::cli {
namespace {

/// What stands in the file from a node's first character to its last.
std::string written(const std::string& content, const toml::node& node) {
  const auto& [begin, end, path] = node.source();
  if (begin.line == 0 || begin.line != end.line) return {};
  size_t first = 0;
  for (size_t line = 1; line < begin.line; ++line) first = content.find('\n', first) + 1;
  // Columns count characters, and numbers are ASCII: only what stands before may be wider.
  const auto after = [&](size_t columns) {
    size_t at = first;
    for (; columns > 0 && at < content.size(); --columns) do
        ++at;
      while (at < content.size() && (static_cast<unsigned char>(content[at]) & 0xc0) == 0x80);
    return at;
  };
  const size_t from = after(begin.column - 1), to = after(end.column - 1);
  std::string text = content.substr(from, to - from);
  text.erase(text.find_last_not_of(" \t\r") + 1);
  return text;
}

/// One value as it would be typed on the command line.
std::string typed(const std::string& content, const std::string& place, const std::string& key,
                  const toml::node& node) {
  if (const auto text = node.as_string()) return text->get();
  if (const auto flag = node.as_boolean()) return flag->get() ? "true" : "false";
  check_input(!node.is_array() && !node.is_table(),
              "{}: expected a string, number, boolean or list of them for '{}'", place, key);
  const std::string text = written(content, node);
  const auto whole = node.as_integer();
  const bool decimal = text.find_first_not_of("+-0123456789") == std::string::npos;
  if (whole && (text.empty() || !decimal)) return std::to_string(whole->get());
  const auto real = node.as_floating_point();
  // TOML groups digits as 1_000.5.
  if (real && (text.empty() || text.find('_') != std::string::npos)) return fmt::format("{}", real->get());
  return text;
}

}  // namespace

std::vector<TomlValue> read_toml(const std::filesystem::path& file) {
  const std::string content = read_file(file, 1 << 20), name = file.string();
  toml::table table;
  try {
    table = toml::parse(content, name);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::input, "{}: line {}: not valid TOML: {}", name, error.source().begin.line,
         error.description());
  }
  std::vector<TomlValue> values;
  for (const auto& [key, node] : table) {
    TomlValue value{.key = std::string(key.str()), .texts = {}, .line = node.source().begin.line};
    const std::string place = fmt::format("{}: line {}", name, value.line);
    if (const auto list = node.as_array()) {
      value.is_array = true;
      for (const auto& item : *list) value.texts.push_back(typed(content, place, value.key, item));
    } else {
      value.texts.push_back(typed(content, place, value.key, node));
    }
    values.push_back(std::move(value));
  }
  std::stable_sort(values.begin(), values.end(),
                   [](const TomlValue& a, const TomlValue& b) { return a.line < b.line; });
  return values;
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += std::string("\\") + c;
    else if (byte < 32 || byte == 127)
      quoted += fmt::format("\\u{:04X}", byte);
    else
      quoted += c;
  }
  return quoted + "\"";
}

}  // namespace fokker::cli
