#include <toml++/toml.h>

#include <cstdio>

#include "cli/command.h"
#include "fokker/core/error.h"
#include "fokker/core/files.h"
#include "fokker/core/stop.h"

namespace fokker::cli {
namespace {

/// One TOML value as it would be typed after --key=.
std::string argument_text(const std::string& file, const std::string& key, const toml::node& node) {
  if (const auto text = node.as_string()) return text->get();
  if (const auto whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto flag = node.as_boolean()) return flag->get() ? "true" : "false";
  fail(ErrorKind::input, "{}: line {}: expected a string, number, boolean or list of them for '{}'", file,
       node.source().begin.line, key);
}

}  // namespace

std::vector<std::string> arguments_from_toml(const std::filesystem::path& file) {
  const std::string content = read_file(file, 1 << 20);
  toml::table table;
  try {
    table = toml::parse(content, file.string());
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::input, "{}: line {}: not valid TOML: {}", file.string(), error.source().begin.line,
         error.description());
  }
  std::vector<std::string> arguments;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (const auto text = node.as_string(); text && text->get().empty())
      continue;  // an option that was not given
    if (const auto list = node.as_array()) {
      for (const auto& item : *list)
        arguments.push_back(fmt::format("--{}={}", name, argument_text(file.string(), name, item)));
    } else {
      arguments.push_back(fmt::format("--{}={}", name, argument_text(file.string(), name, node)));
    }
  }
  return arguments;
}

void print_result(const CommonOptions& common, const Json& json, const std::string& text) {
  check_stop();
  const std::string line = common.json ? json.dump() + "\n" : text;
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    fail(ErrorKind::resource, "standard output: cannot be written");
}

}  // namespace fokker::cli
