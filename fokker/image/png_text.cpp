#include "fokker/image/png_text.h"

#include <zlib.h>

#include <functional>

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"

namespace fokker {
namespace {

constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

struct PngChunk {
  std::string_view type, body;
  std::string_view whole;  ///< with its length and checksum
};

uint64_t big_endian_at(std::string_view bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string big_endian_bytes(uint64_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// Calls `take` with each chunk up to IEND.
void for_each_chunk(std::string_view png, const std::string& name,
                    const std::function<void(const PngChunk&)>& take) {
  check_input(png.starts_with(png_signature), "{}: expected a PNG file", name);
  for (size_t at = png_signature.size(); at < png.size();) {
    check_input(png.size() - at >= 12, "{}: truncated: a chunk of PNG has 12 bytes or more", name);
    const uint64_t length = big_endian_at(png, at);
    check_input(length <= png.size() - at - 12, "{}: truncated: a chunk claims {} bytes", name, length);
    const PngChunk chunk{png.substr(at + 4, 4), png.substr(at + 8, length), png.substr(at, length + 12)};
    take(chunk);
    if (chunk.type == "IEND") return;
    at += length + 12;
  }
}

/// The text behind "keyword NUL": of iTXt behind a flag of compression, its method, a language and the
/// keyword in it.
void add_text_of(const PngChunk& chunk, PngTexts& texts) {
  const size_t end = chunk.body.find('\0');
  if (end == std::string_view::npos || (chunk.type != "tEXt" && chunk.type != "iTXt")) return;
  const std::string keyword = utf8_from_latin1(chunk.body.substr(0, end));
  std::string_view rest = chunk.body.substr(end + 1);
  if (chunk.type == "tEXt") {
    texts[keyword] = utf8_from_latin1(rest);
    return;
  }
  if (rest.size() < 2 || rest[0] != 0) return;
  rest.remove_prefix(2);
  for (int i = 0; i < 2; ++i) {
    const size_t next = rest.find('\0');
    if (next == std::string_view::npos) return;
    rest.remove_prefix(next + 1);
  }
  if (first_invalid_utf8(rest) == std::string_view::npos) texts[keyword] = std::string(rest);
}

std::string text_chunk(const std::string& keyword, const std::string& text) {
  const auto latin = latin1_from_utf8(keyword);
  check(latin && !latin->empty() && latin->size() <= 79 && latin->find('\0') == std::string::npos,
        "with_png_texts: expected a keyword of 1 to 79 characters of Latin-1 but received '{}'",
        shown(keyword));
  check(first_invalid_utf8(text) == std::string::npos && text.find('\0') == std::string::npos,
        "with_png_texts: '{}': expected text in UTF-8 without NUL", shown(keyword));
  const std::string body = "iTXt" + *latin + std::string(5, '\0') + text;
  const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return big_endian_bytes(body.size() - 4) + body + big_endian_bytes(checksum);
}

}  // namespace

PngTexts read_png_texts(std::string_view png, const std::string& name) {
  PngTexts texts;
  for_each_chunk(png, name, [&](const PngChunk& chunk) { add_text_of(chunk, texts); });
  return texts;
}

std::string with_png_texts(std::string_view png, const PngTexts& texts, const std::string& name) {
  std::string result(png_signature);
  for_each_chunk(png, name, [&](const PngChunk& chunk) {
    PngTexts found;
    add_text_of(chunk, found);
    const bool replaced = !found.empty() && texts.contains(found.begin()->first);
    if (!replaced) result += chunk.whole;
    if (chunk.type == "IHDR")
      for (const auto& [keyword, text] : texts) result += text_chunk(keyword, text);
  });
  return result;
}

}  // namespace fokker
