#include "fokker/core/text/text.h"

#include <algorithm>
#include <cstdint>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr size_t longest_shown = 40;

uint8_t code_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

/// Bytes of the character that starts at `i`, or 0 where none does (RFC 3629, section 4).
size_t character_length(std::string_view text, size_t i) {
  const uint8_t first = code_at(text, i);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || i + length > text.size()) return 0;
  // The second byte keeps out overlong forms, surrogates and what is above U+10FFFF.
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (code_at(text, i + 1) < low || code_at(text, i + 1) > high) return 0;
  for (size_t k = 2; k < length; ++k)
    if ((code_at(text, i + k) & 0xc0) != 0x80) return 0;
  return length;
}

}  // namespace

size_t first_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = character_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

void check_utf8(std::string_view text, const std::string& name) {
  const size_t at = first_invalid_utf8(text);
  if (at != std::string_view::npos)
    fail(ErrorKind::input, "{}: byte {}: expected text in UTF-8 but found 0x{:02X} in '{}'", name, at + 1,
         code_at(text, at), shown(text));
}

std::string utf8_from_latin1(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<uint8_t>(c);
    if (code < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xc0 | code >> 6);
      result += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
  return result;
}

std::optional<std::string> latin1_from_utf8(std::string_view text) {
  if (first_invalid_utf8(text) != std::string_view::npos) return {};
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto code = static_cast<uint8_t>(text[i]);
    if (code < 0x80) {
      result += text[i];
    } else {
      if (code > 0xc3) return {};  // beyond U+00FF
      result += static_cast<char>((code & 3) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3f));
    }
  }
  return result;
}

std::string shown(std::string_view text) {
  std::string result;
  size_t i = 0;
  while (i < text.size()) {
    const size_t length = character_length(text, i);
    if (i + std::max<size_t>(length, 1) > longest_shown) return result + "...";
    if (length == 0)
      result += fmt::format("\\x{:02X}", code_at(text, i));
    else if (length == 1 && (code_at(text, i) < 32 || text[i] == 127))
      result += '?';
    else
      result += text.substr(i, length);
    i += std::max<size_t>(length, 1);
  }
  return result;
}

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

}  // namespace fokker
