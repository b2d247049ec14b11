#pragma once
#include <optional>

namespace fokker {

/// How the bytes of a text stand for characters.
enum class TextEncoding {
  utf8,    ///< RFC 3629
  latin1,  ///< ISO 8859-1
};

/// How a file of delimited text is written. What is not given is decided from its first lines.
struct CsvFormat {
  /// Between cells; ' ' stands for runs of blanks.
  std::optional<char> separator = {};
  /// Whether the first line holds the names of the columns.
  std::optional<bool> header = {};
  /// Before the decimals of a number: '.' or ','.
  std::optional<char> decimal = {};
  TextEncoding encoding = TextEncoding::utf8;
};

}  // namespace fokker
