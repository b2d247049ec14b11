#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

namespace fokker {

// The one way from a user's text to a number: decimal digits, in no locale, to the end of the text. Whole
// numbers may have leading zeros, which mean nothing, or be written as a real number without a fraction
// (1e6). What is no number, or does not fit, is an argument error that begins with `what` and names the
// range.

int64_t parse_integer(std::string_view what, std::string_view text,
                      int64_t least = std::numeric_limits<int64_t>::min(),
                      int64_t most = std::numeric_limits<int64_t>::max());

/// 0 to 2^64 - 1.
uint64_t parse_unsigned(std::string_view what, std::string_view text);

/// Finite; neither too large for a double nor, unless it is zero, too small.
double parse_real(std::string_view what, std::string_view text);

enum class NumberError { none, empty, text, not_finite, too_large };

/// Parses a whole cell of a table as a finite number, with '.' or ',' before its decimals and any of
/// Unicode's two minus signs; one too small for a double is zero.
NumberError parse_number(std::string_view cell, double& value, char decimal = '.');

}  // namespace fokker
