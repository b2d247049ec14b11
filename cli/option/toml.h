#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fokker::cli {

/// One key of a TOML file with its value, or the items of its array, as texts.
struct TomlValue {
  std::string key;
  std::vector<std::string> texts;
  bool is_array = false;
  size_t line = 0;
};

/// The keys of a file in the order of their lines. Numbers and dates are given as they are written in the
/// file (1.0 stays 1.0), whole numbers of another base in decimal. Input errors name the file and the line:
/// not TOML, or a value that is neither text, number, boolean nor a list of them.
std::vector<TomlValue> read_toml(const std::filesystem::path& file);

/// A text as a basic string of TOML, in quotes.
std::string toml_string(std::string_view text);

}  // namespace fokker::cli
