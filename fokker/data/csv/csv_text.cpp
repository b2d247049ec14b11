#include "fokker/data/csv/csv_text.h"

#include <cstring>

#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr size_t block = 1 << 20;
constexpr size_t longest_record = 16 << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool RecordReader::refill() {
  if (ended_) return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  check_input(end_ < longest_record,
              "{}: line {}: longer than {} MiB (a quote that is not closed, or not text?)", source_.name(),
              next_line_, longest_record >> 20);
  if (buffer_.size() < end_ + block) buffer_.resize(end_ + block);
  const size_t count = source_.read_some(buffer_.data() + end_, block);
  end_ += count;
  ended_ = count < block;
  return count > 0;
}

std::optional<std::string_view> RecordReader::next_raw() {
  line_ = next_line_;
  size_t at = 0;  // relative to begin_, which refill moves
  bool quoted = false;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const size_t size = end_ - begin_;
    // Line ends, quotes and NUL are the only characters of interest, and all below '#'.
    while (at<size&& static_cast<unsigned char>(start[at])> '"') ++at;
    // A carriage return at the end of the buffer may have its line feed behind it.
    if (at == size || (start[at] == '\r' && at + 1 == size && !ended_)) {
      if (!ended_ && (refill(), true)) continue;
      check_input(!quoted, "{}: line {}: a quoted cell is not closed", source_.name(), line_);
      if (size == 0) return std::nullopt;
      ++next_line_;
      begin_ = end_;
      return std::string_view(start, size);
    }
    const char c = start[at++];
    check_input(c != '\0', "{}: line {}: byte {}: a NUL byte, which is no text (UTF-16, or a binary file?)",
                source_.name(), line_, at);
    if (c == '"') quoted = !quoted;
    if (c != '\n' && c != '\r') continue;
    const size_t next = at + (c == '\r' && at < size && start[at] == '\n' ? 1 : 0);
    ++next_line_;
    if (quoted) {
      at = next;
      continue;
    }
    begin_ += next;
    return std::string_view(start, at - 1);
  }
}

void RecordReader::check_mark() {
  refill();
  const std::string_view text(buffer_.data(), end_);
  check_input(!text.starts_with("\xff\xfe") && !text.starts_with("\xfe\xff"),
              "{}: line 1: expected UTF-8 text but it is UTF-16", source_.name());
  if (text.starts_with("\xef\xbb\xbf")) begin_ = 3;
}

std::optional<std::string_view> RecordReader::next() {
  if (next_line_ == 1) check_mark();
  int64_t blank = 0;  // counted only where something follows
  while (auto record = next_raw()) {
    if (trimmed(*record).empty()) {
      ++blank;
      continue;
    }
    skipped_.blank += std::exchange(blank, 0);
    if (record->front() != '#') return record;
    ++skipped_.comments;
  }
  return std::nullopt;
}

std::string quoted_cell(const std::string& cell) {
  if (!cell.empty() && cell.find_first_of(",;\t\"\r\n# ") == std::string::npos) return cell;
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

CellReader::CellReader(std::string_view record, Separator separator)
    : text_(separator.blanks ? trimmed(record) : record), separator_(separator) {}

std::optional<std::string_view> CellReader::next() {
  if (ended_) return std::nullopt;
  const size_t start = at_;
  size_t p = at_;
  while (p < text_.size() && is_blank(text_[p]) && text_[p] != separator_.character) ++p;
  if (p < text_.size() && text_[p] == '"') {
    at_ = p;
    return quoted();
  }
  if (separator_.blanks) {
    while (p < text_.size() && !is_blank(text_[p])) ++p;
  } else {
    while (p < text_.size() && text_[p] != separator_.character) ++p;
  }
  ended_ = p >= text_.size();
  at_ = p + 1;
  if (separator_.blanks)
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  written_ = text_.substr(start, p - start);
  while (written_.ends_with('\r')) written_.remove_suffix(1);
  return trimmed(written_);
}

std::string_view CellReader::quoted() {
  scratch_.clear();
  bool inside = true;
  size_t p = at_ + 1;
  for (; p < text_.size(); ++p) {
    const char c = text_[p];
    const bool ends = separator_.blanks ? is_blank(c) : c == separator_.character;
    if (!inside && ends) break;
    if (c != '"') {
      scratch_ += c;
    } else if (inside && p + 1 < text_.size() && text_[p + 1] == '"') {
      scratch_ += text_[++p];
    } else {
      inside = !inside;
    }
  }
  ended_ = p >= text_.size();
  at_ = p + 1;
  if (separator_.blanks)
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  written_ = scratch_;
  return trimmed(scratch_);
}

std::vector<std::string> split_cells(std::string_view record, Separator separator) {
  std::vector<std::string> cells;
  CellReader reader(record, separator);
  while (const auto cell = reader.next()) cells.emplace_back(*cell);
  return cells;
}

}  // namespace fokker
