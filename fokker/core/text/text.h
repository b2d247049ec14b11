#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fokker {

/// Where the first byte is that is not part of UTF-8 (RFC 3629: no overlong forms, surrogates or code points
/// above U+10FFFF); npos where there is none.
size_t first_invalid_utf8(std::string_view text);

/// Input error, "NAME: byte 3: ...", where text that is kept (a name, a label) is not UTF-8.
void check_utf8(std::string_view text, const std::string& name);

/// Text of ISO 8859-1 as UTF-8: each byte is the code point of its value.
std::string utf8_from_latin1(std::string_view text);
/// The inverse; nothing where a character has no such byte, or the text is not UTF-8.
std::optional<std::string> latin1_from_utf8(std::string_view text);

/// Text as it may stand in a message: one line, at most 40 bytes and "...", control characters as "?", and
/// bytes that are not UTF-8 as \xF6.
std::string shown(std::string_view text);

/// "a, b, c"
std::string join(const std::vector<std::string>& items);

}  // namespace fokker
