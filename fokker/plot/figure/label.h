#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace fokker::plot {

/// A piece of a label on one level.
struct TextRun {
  enum class Level { base, subscript, superscript };
  std::string text;  ///< UTF-8
  Level level = Level::base;
  bool operator==(const TextRun&) const = default;
};

/// Reads the simple mathematics of a label: `x_t`, `x_{t-1}`, `x^2`, `10^{-3}`, and names such as `\sigma`.
/// A subscript needs a single letter before it, so that `user_id` stays as written; an unknown `\name` does
/// too. Bytes that are not UTF-8 become U+FFFD and control characters become spaces.
std::vector<TextRun> parse_label(std::string_view label);

/// The label as one line without markup.
std::string plain_label(std::string_view label);

/// Valid UTF-8 without control characters.
std::string clean_text(std::string_view text);

/// Text made safe inside XML: & < > and both quotes as entities.
std::string escape_xml(std::string_view text);

}  // namespace fokker::plot
