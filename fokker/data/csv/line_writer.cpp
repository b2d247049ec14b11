#include "fokker/data/csv/line_writer.h"

#include "fokker/core/check.h"
#include "fokker/core/text/text.h"
#include "fokker/data/csv/csv_text.h"

namespace fokker {

void LineWriter::add(std::string_view cell) {
  bool quoted = cell.find(separator_) != std::string_view::npos ||
                cell.find_first_of("\"\r\n") != std::string_view::npos ||
                (cells_ == 0 && cell.starts_with('#'));
  if (separator_ == ' ') quoted = quoted || cell.empty() || cell.find('\t') != std::string_view::npos;
  add(cell, quoted);
}

void LineWriter::add_lone_name(std::string_view name) {
  const std::string text(name);
  const bool plain = quoted_cell(text) == text && text.find(separator_) == std::string::npos;
  add(name, !plain);
}

void LineWriter::add(std::string_view cell, bool quoted) {
  if (cells_++ > 0) text_ += separator_;
  if (!quoted) return void(text_ += cell);
  text_ += '"';
  for (const char c : cell) {
    if (c == '"') text_ += c;
    text_ += c;
  }
  text_ += '"';
}

void LineWriter::end_line() {
  if (text_.find_first_not_of(" \t", begin_) == std::string::npos) text_.insert(begin_, "\"\"");
  text_ += '\n';
  begin_ = text_.size();
  cells_ = 0;
}

std::string encoded(std::string text, TextEncoding encoding) {
  if (encoding == TextEncoding::utf8) return text;
  auto bytes = latin1_from_utf8(text);
  check(bytes.has_value(), "encoding: a text has a character that Latin-1 has not; expected utf-8");
  return *std::move(bytes);
}

}  // namespace fokker
