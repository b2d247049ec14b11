#pragma once
#include <optional>
#include <string>

#include "fokker/core/text/json.h"

namespace fokker {

/// How the bytes of a text stand for characters.
enum class TextEncoding {
  utf8,    ///< RFC 3629
  latin1,  ///< ISO 8859-1
};

/// How a file of delimited text is written. Where one is read, what is not given is decided from its first
/// lines; where one is written, it is a comma, a header and a decimal point.
struct CsvFormat {
  /// Between cells; ' ' stands for runs of blanks.
  std::optional<char> separator = {};
  /// Whether the first line holds the names of the columns.
  std::optional<bool> header = {};
  /// Before the decimals of a number: '.' or ','.
  std::optional<char> decimal = {};
  TextEncoding encoding = TextEncoding::utf8;

  bool operator==(const CsvFormat&) const = default;
  /// What is given here, and for the rest what `other` says.
  CsvFormat or_else(const CsvFormat& other) const;
  Json to_json() const;
  /// Input error, naming `file`, where it is not one that `to_json` writes.
  static CsvFormat from_json(const Json& json, const std::string& file = "format of a file");
};

/// Whether a character can stand between cells: none that a number, a quoted cell or a comment needs.
bool can_separate(char c);

}  // namespace fokker
