#include "fokker/format/diffusers/python_json.h"

#include <array>

#include "fokker/core/file/files.h"
#include "fokker/core/text/strict_json.h"

namespace fokker {
namespace {

constexpr uint64_t largest_configuration = 1 << 24;
constexpr std::array<std::string_view, 3> no_numbers = {"-Infinity", "Infinity", "NaN"};

/// Which of them stands at a place of the text; empty: none.
std::string_view no_number_at(const std::string& text, size_t at) {
  for (const std::string_view name : no_numbers)
    if (text.compare(at, name.size(), name) == 0) return name;
  return {};
}

/// visit(place) at each byte outside of texts.
template <typename Visit>
void outside_of_texts(const std::string& text, Visit visit) {
  bool quoted = false, escaped = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      quoted = escaped || text[i] != '"';
      escaped = !escaped && text[i] == '\\';
    } else {
      quoted = text[i] == '"';
      if (!quoted) visit(i);
    }
  }
}

}  // namespace

Json read_python_json(const std::filesystem::path& file) {
  std::string text = read_file(file, largest_configuration);
  std::vector<std::pair<size_t, std::string_view>> found;
  size_t behind = 0;  // what was found already: "-Infinity" ends with "Infinity"
  outside_of_texts(text, [&](size_t at) {
    const std::string_view name = at < behind ? std::string_view() : no_number_at(text, at);
    if (name.empty()) return;
    found.emplace_back(at, name);
    behind = at + name.size();
  });
  for (auto place = found.rbegin(); place != found.rend(); ++place)
    text.replace(place->first, place->second.size(), '"' + std::string(place->second) + '"');
  return parse_strict_json<Json>(text, file.string(), {.depth = 16});
}

std::string python_json_text(const Json& json) {
  std::string text = json_text(json, 2);
  for (const std::string_view name : no_numbers) {
    const std::string quoted = ": \"" + std::string(name) + '"';
    for (size_t at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + 1))
      text.replace(at, quoted.size(), ": " + std::string(name));
  }
  return text;
}

}  // namespace fokker
