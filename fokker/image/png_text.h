#pragma once
#include <map>
#include <string>
#include <string_view>

namespace fokker {

/// Texts in UTF-8 by keyword (1 to 79 characters of Latin-1).
using PngTexts = std::map<std::string, std::string>;

/// The texts of a PNG file: its tEXt and uncompressed iTXt chunks (W3C PNG, section 11.3.3), of which a later
/// one of a keyword counts; compressed ones are passed over. Input error, starting with `name`, where the
/// bytes are no PNG file or a chunk ends outside it.
PngTexts read_png_texts(std::string_view png, const std::string& name);

/// The same file with these texts, ahead of its pixels, in place of those it has of their keywords. Argument
/// error for a keyword that PNG does not allow, or a text that is not UTF-8 or has a NUL.
std::string with_png_texts(std::string_view png, const PngTexts& texts, const std::string& name);

}  // namespace fokker
