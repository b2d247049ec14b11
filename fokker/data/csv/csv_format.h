#pragma once
#include <optional>

#include "fokker/core/text/text.h"

namespace fokker {

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
