#include "fokker/table/infer.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/core/text/numbers.h"
#include "fokker/core/text/text.h"
#include "fokker/table/cells.h"

namespace fokker {
namespace {

constexpr int64_t most_number_texts = 1 << 16, many_texts = 1 << 18;

/// zip, zip_code, postal code, phone, ...: numbers that are names of something.
bool is_name_of_code(const std::string& name) {
  std::string lower;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* end : {"zip", "zipcode", "postcode", "postalcode", "plz", "fips", "fipscode", "areacode",
                          "phone", "phonenumber", "telephone", "ssn", "isbn", "ean", "upc", "iban"})
    if (lower.ends_with(end)) return true;
  return false;
}

}  // namespace

ColumnBuilder::ColumnBuilder(std::string name, ColumnWish wish, char decimal, bool keep_texts)
    : name_(std::move(name)),
      wish_(std::move(wish)),
      decimal_(decimal),
      keep_texts_(keep_texts),
      named_as_code_(!wish_.kept && is_name_of_code(name_)) {
  const bool levels = wish_.kind == ColumnKind::categorical || wish_.kind == ColumnKind::ordinal;
  keep_texts_ = keep_texts_ || levels || !wish_.levels.empty();
  first_row_.fill(-1);
}

CellClass ColumnBuilder::classify(std::string_view text, double& value) {
  value = NAN;
  text = without_blanks(text);
  if (wish_.missing) {
    for (const std::string& mark : *wish_.missing)
      if (text == without_blanks(mark)) return CellClass::missing;
  } else if (is_missing_mark(text)) {
    return CellClass::missing;
  } else if (is_word_none(text)) {
    return CellClass::word_none;
  }
  if (const auto date = wish_.date_format ? parse_date(*wish_.date_format, text) : std::nullopt) {
    value = *date;
    return CellClass::date;
  }
  double number = 0;
  const NumberError error = parse_number(text, number, decimal_);
  if (error == NumberError::none) {
    value = number;
    written_.add(text, number, decimal_);
    amounts_.add_bare(number);
    return CellClass::number;
  }
  if (error == NumberError::not_finite) return CellClass::not_finite;
  if (error == NumberError::too_large) return CellClass::too_large;
  const bool may_be_date = !wish_.date_format && (undated_ < most_words_kept || count(CellClass::date) > 0);
  const auto date = may_be_date ? dates_.add(text) : std::nullopt;
  if (date) {
    value = *date;
    return CellClass::date;
  }
  ++undated_;
  const auto digits = amounts_.add(text, decimal_);
  if (!digits) return CellClass::text;
  parse_number(*digits, value, decimal_);
  written_.add(*digits, value, decimal_);
  return CellClass::amount;
}

bool ColumnBuilder::may_keep(CellClass kind) const {
  if (keep_texts_ || kind == CellClass::missing || kind == CellClass::word_none) return true;
  if (kind == CellClass::text) return texts_.size() < many_texts || 2 * texts_.size() < rows();
  return texts_.size() < most_number_texts;
}

void ColumnBuilder::add(std::string_view text) {
  // Once texts are lost those of numbers would hardly be found: only what stands for a missing cell is looked
  // for.
  int32_t code = lost_ ? -1 : texts_.find(text);
  double value = NAN;
  CellClass kind{};
  if (code >= 0) {
    kind = texts_[code].kind;
    value = texts_[code].value;
  } else {
    kind = classify(text, value);
    const bool word = kind == CellClass::text && count(CellClass::text) < most_words_kept;
    const bool absent = word || kind == CellClass::missing || kind == CellClass::word_none;
    if (lost_ && absent) code = texts_.find(text);
    if (code < 0 && (lost_ ? absent : may_keep(kind)))
      code = texts_.add(text, kind, value);
    else if (code < 0)
      (kind == CellClass::text && !lost_ ? mostly_distinct_ : lost_) = true;
  }
  if (code >= 0) ++texts_[code].count;
  const auto place = static_cast<size_t>(kind);
  if (counts_[place]++ == 0) {
    first_row_[place] = rows();
    first_text_[place] = text;
  }
  follow(kind, value);
  values_.push_back(value);
  codes_.push_back(code);
}

void ColumnBuilder::follow(CellClass kind, double value) {
  if (rows() == 0)
    start_ = value;
  else if (rows() == 1)
    step_ = std::abs(value - last_) == 1 ? value - last_ : NAN;
  else if (value - last_ != step_)
    step_ = NAN;
  if ((kind != CellClass::number && kind != CellClass::amount) || value != std::floor(value)) step_ = NAN;
  last_ = value;
}

int64_t ColumnBuilder::first_of(std::initializer_list<CellClass> kinds) const {
  int64_t first = -1;
  for (const CellClass kind : kinds) {
    const int64_t row = first_row_[static_cast<size_t>(kind)];
    if (row >= 0 && (first < 0 || row < first)) first = row;
  }
  return first;
}

bool ColumnBuilder::needs_texts() const {
  if (wish_.dropped) return false;
  if (mostly_distinct_ && wish_.kind == ColumnKind::constant) return true;
  if (!lost_) return false;
  const Nature found = nature();
  return found == Nature::texts || (found == Nature::dates && dates_.has_changed());
}

std::string ColumnBuilder::cell_at(int64_t row) const {
  for (size_t kind = 0; kind < first_row_.size(); ++kind)
    if (first_row_[kind] == row) return std::string(without_blanks(first_text_[kind]));
  const int32_t code = codes_[static_cast<size_t>(row)];
  if (code >= 0) return std::string(without_blanks(texts_[code].text));
  return fmt::format("{}", values_[static_cast<size_t>(row)]);
}

void ColumnBuilder::fail_cell(int64_t row, const std::string& expected) const {
  fail(ErrorKind::input, "{}: line {}: column '{}': expected {} but found '{}'", file_,
       (*lines_)[static_cast<size_t>(row)], shown(name_), expected, shown(cell_at(row)));
}

InferredColumn ColumnBuilder::finish(const std::string& file, const std::vector<int64_t>& lines) {
  file_ = file;
  lines_ = &lines;
  InferredColumn result;
  result.column.name = name_;
  if (wish_.dropped) {
    result.dropped = "asked for";
    return result;
  }
  int64_t odd = -1;
  const Nature found = nature(&odd);
  if (odd >= 0) {
    const char* kind = found == Nature::dates ? "a date" : "a number";
    const char* others = found == Nature::dates ? "dates" : "numbers";
    fail_cell(odd, wish_.kind ? fmt::format("{} of a column that is {}", kind, to_string(*wish_.kind))
                              : fmt::format("{}, as nearly all others are (the type {}=categorical takes {} "
                                            "as texts, {}=drop leaves the column out, and a schema's "
                                            "\"missing\" says what stands for a missing cell),",
                                            kind, shown(name_), others, shown(name_)));
  }
  strays_ = found != Nature::texts && are_strays_missing();
  switch (found) {
    case Nature::numbers:
      end_numbers(result);
      break;
    case Nature::dates:
      end_dates(result);
      break;
    case Nature::texts:
      end_texts(result, !written_.has_leading_zeros() && !written_.beyond_exact());
      break;
    case Nature::empty:
      end_empty(result);
  }
  check_wish(result);
  return result;
}

}  // namespace fokker
