#include "fokker/data/csv/csv_table.h"

#include <set>

#include "fokker/core/check.h"
#include "fokker/data/array/inflate.h"
#include "fokker/data/columns.h"
#include "fokker/data/csv/csv_header.h"

namespace fokker {
namespace {

// Cells without a place in the result.
constexpr int64_t ignored = -1;
constexpr int64_t label = -2;
constexpr int64_t must_be_empty = -3;  // after the last separator, where all records end in one

constexpr size_t sample_records = 100;
constexpr size_t sample_bytes = 4 << 20;
constexpr int64_t rows_that_count = 10;  // from how many on a column that counts rows is worth a word

/// "sep=;": the first line of a file that Excel is to open, which is no data.
bool says_separator(std::string_view record) {
  return record.size() == 5 && (record.starts_with("sep=") || record.starts_with("SEP=")) &&
         can_separate(record.back());
}

}  // namespace

CsvTable::CsvTable(const std::filesystem::path& path, const CsvFormat& format)
    : source_(open_maybe_gzip(path)), records_(*source_), format_(format) {
  read_sample();
  check_input(!sample_.empty(), "{}: the file is empty", name());
  check_input(!sample_[0].starts_with("version https://git-lfs."),
              "{}: a pointer of Git LFS in place of the data: fetch the file (git lfs pull)", name());
  dialect_ = decide_dialect(sample_, format_);
  for (const std::string& cell : split_cells(sample_[0], dialect_.separator)) {
    line_ = sample_lines_[0];
    names_.push_back(dialect_.header ? text_of(cell, sample_[0]) : "");
  }
  if (dialect_.row_names) names_.emplace(names_.begin());
  if (dialect_.header) ++at_;
  if (dialect_.open_end) names_.pop_back();
  name_columns();
}

void CsvTable::read_sample() {
  bool first = true;
  size_t bytes = 0;
  while (sample_.size() < sample_records && (bytes < sample_bytes || sample_.size() < 2)) {
    const auto record = records_.next();
    if (!record) return;
    if (std::exchange(first, false) && says_separator(*record)) {
      if (!format_.separator) format_.separator = record->back();
      continue;
    }
    sample_.emplace_back(*record);
    sample_lines_.push_back(records_.line());
    bytes += record->size();
  }
}

std::optional<std::string_view> CsvTable::next_record() {
  if (at_ < sample_.size()) {
    line_ = sample_lines_[at_];
    return sample_[at_++];
  }
  const auto record = records_.next();
  line_ = records_.line();
  return record;
}

void CsvTable::name_columns() {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < names_.size(); ++i) {
    nameless_.push_back(dialect_.header && is_unnamed(names_[i]));
    if (names_[i].empty()) names_[i] = fmt::format("x{}", i);
    check_input(seen.insert(names_[i]).second, "{}: line {}: two columns are named '{}'", name(), line_,
                shown(names_[i]));
  }
}

int64_t CsvTable::find(const std::string& column) const {
  for (size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == column || (nameless_[i] && column == fmt::format("Unnamed: {}", i)))
      return static_cast<int64_t>(i);
  fail(ErrorKind::input, "{}: no column '{}': expected one of {}", name(), column, list_columns(names_));
}

void CsvTable::choose(const std::vector<std::string>& columns, const std::string& label_column) {
  slot_.assign(names_.size(), ignored);
  all_ = columns.empty();
  if (!label_column.empty()) slot_[static_cast<size_t>(find(label_column))] = label;
  for (const std::string& column : columns) {
    int64_t& slot = slot_[static_cast<size_t>(find(column))];
    check_input(slot == ignored, "{}: column '{}' is asked for twice", name(), column);
    slot = width_++;
  }
  if (all_)
    for (size_t i = dialect_.row_names ? 1 : 0; i < slot_.size(); ++i)
      if (slot_[i] != label) slot_[i] = width_++;
  check_input(width_ > 0, "{}: expected a column of numbers beside the label column '{}'", name(),
              label_column);
  if (dialect_.open_end) slot_.push_back(must_be_empty);
}

CsvFormat CsvTable::format() const {
  CsvFormat format{.header = dialect_.header, .decimal = dialect_.decimal, .encoding = format_.encoding};
  if (dialect_.separator.character != '\0') format.separator = dialect_.separator.character;
  return format;
}

size_t CsvTable::column_at(int64_t place) const {
  return static_cast<size_t>(std::find(slot_.begin(), slot_.end(), place) - slot_.begin());
}

Dataset CsvTable::described(int64_t rows, const LabelTexts& labels) const {
  check_input(rows > 0, "{}: expected rows of data but the file has only a header", name());
  Dataset dataset{.values = {}, .source = name(), .columns_named = dialect_.header};
  dataset.format = format();
  tell_dialect(dataset, rows);
  dataset.columns.resize(static_cast<size_t>(width_));
  for (size_t i = 0; i < names_.size(); ++i)
    if (slot_[i] >= 0)
      dataset.columns[static_cast<size_t>(slot_[i])] = names_[i];
    else if (slot_[i] == label)
      dataset.label_column = names_[i];
  if (labels.size() > 0) {
    LabelColumn column = labels.take(name());
    dataset.labels = std::move(column.labels);
    dataset.label_names = std::move(column.names);
  }
  return dataset;
}

Dataset CsvTable::read() {
  RowBlocks rows(width_);
  int64_t left_out = -1;
  Dataset dataset =
      read_rows([&](const double* row) { std::copy(row, row + width_, rows.add_row()); }, left_out);
  dataset.values = rows.take(name(), left_out);
  return dataset;
}

Dataset CsvTable::read_rows(const TakeRow& take, int64_t& left_out) {
  std::vector<double> row(static_cast<size_t>(width_));
  RowCounters counters(width_);
  LabelTexts labels;
  int64_t rows = 0;
  for (; const auto record = next_record(); ++rows) {
    read_row(*record, row.data(), labels);
    counters.follow(row.data());
    take(row.data());
  }
  Dataset dataset = described(rows, labels);
  left_out = place_that_counts([&](int64_t place) { return counters.start_of(place); }, rows, dataset);
  if (left_out >= 0) dataset.columns.erase(dataset.columns.begin() + left_out);
  return dataset;
}

double CsvTable::bytes_per_row() const {
  double bytes = 0;
  for (const std::string& record : sample_) bytes += static_cast<double>(record.size() + 1);
  return bytes / static_cast<double>(sample_.size());
}

LabelColumn CsvTable::read_labels(int64_t rows) {
  // Two columns where the first has no name: a count of rows, as pandas writes it.
  const bool counted = names_.size() == 2 && nameless_[0];
  check_input(counted || names_.size() == 1, "{}: expected one column of labels but found {}", name(),
              names_.size());
  slot_ = counted ? std::vector<int64_t>{ignored, label} : std::vector<int64_t>{label};
  if (dialect_.open_end) slot_.push_back(must_be_empty);
  const bool undecided = rows >= 0 && !format_.header && !counted;
  if (undecided) at_ = 0;
  LabelTexts labels;
  while (const auto record = next_record()) read_row(*record, nullptr, labels);
  check_input(labels.size() > 0, "{}: expected labels but the file has only a header", name());
  return labels.take(name(), undecided && labels.size() == rows + 1 ? 1 : 0);
}

void CsvTable::read_row(std::string_view record, double* row, LabelTexts& labels) {
  CellReader cells(record, dialect_.separator);
  const size_t count = slot_.size();
  size_t found = 0;
  while (const auto cell = cells.next()) {
    const int64_t slot = found < count ? slot_[found] : ignored;
    ++found;
    // A row of the wrong length is told as such, before what its cells hold.
    if (slot >= 0) {
      const NumberError error = parse_number(*cell, row[slot], dialect_.decimal);
      if (error != NumberError::none) {
        check_length(record);
        fail_cell(error, found - 1, *cell);
      }
    } else {
      read_other(slot, *cell, found - 1, record, labels);
    }
  }
  if (found != count) check_length(record);
}

bool CsvTable::take_row(const TakeCell& take, LabelTexts& labels) {
  const auto record = next_record();
  if (!record) return false;
  CellReader cells(*record, dialect_.separator);
  size_t found = 0;
  while (const auto cell = cells.next()) {
    const int64_t slot = found < slot_.size() ? slot_[found] : ignored;
    ++found;
    if (slot >= 0) {
      const std::string_view written = cells.written();
      const bool ascii =
          std::all_of(written.begin(), written.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
      ascii ? take(slot, written) : take(slot, text_of(written, *record));
    } else {
      read_other(slot, *cell, found - 1, *record, labels);
    }
  }
  if (found != slot_.size()) check_length(*record);
  return true;
}

/// A cell that has no place in the result.
void CsvTable::read_other(int64_t slot, std::string_view cell, size_t column, std::string_view record,
                          LabelTexts& labels) const {
  if (slot == label) {
    // Not check_input: it would compose the place for every row.
    if (cell.empty()) {
      check_length(record);
      fail(ErrorKind::input, "{}: expected a label but the cell is empty", place(column));
    }
    labels.add(text_of(cell, record));
  } else if (slot == must_be_empty && !cell.empty()) {
    fail(ErrorKind::input, "{}: line {}: expected nothing after the last separator, as above, but found '{}'",
         name(), line_, shown(cell));
  }
}

void CsvTable::tell_dialect(Dataset& dataset, int64_t rows) const {
  std::string text = separator_name(dialect_.separator);
  if (!text.empty()) text += ", ";
  text += fmt::format("{}, {} rows, {} column{}", dialect_.header ? "header" : "no header", rows,
                      names_.size(), names_.size() == 1 ? "" : "s");
  if (dialect_.decimal != '.') text += ", decimal comma";
  if (format_.encoding == TextEncoding::latin1) text += ", Latin-1";
  if (dialect_.open_end) text += ", a separator at the end of each line";
  dataset.notes.push_back(text);
  const auto [blank, comments] = records_.skipped();
  if (blank + comments > 0)
    dataset.notes.push_back(fmt::format("skipped {} blank lines and {} that start with #", blank, comments));
  if (dialect_.row_names && slot_[0] == ignored)
    dataset.notes.push_back(
        fmt::format("the first line names one column fewer than there are: the first column holds names of "
                    "the rows, as R writes "
                    "them, and is left out (choose columns by name, this one as {}, to keep it)",
                    names_[0]));
  if (!dialect_.note.empty()) dataset.notes.push_back(dialect_.note);
  if (!dialect_.doubt.empty()) dataset.doubts.push_back(dialect_.doubt);
}

int64_t CsvTable::place_that_counts(const std::function<int64_t(int64_t place)>& start_of, int64_t rows,
                                    Dataset& dataset) const {
  int64_t dropped = -1;
  if (!all_ || rows < 2) return dropped;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (slot_[i] < 0) continue;
    const int64_t start = start_of(slot_[i]);
    const std::string column = shown(names_[i]);
    if (nameless_[i] && start >= 0 && dropped < 0 && width_ > 1) {
      dropped = slot_[i];
      dataset.notes.push_back(
          fmt::format("the unnamed column {} counts the rows from {}, an index: left out (choose columns by "
                      "name, this one as {}, to keep it)",
                      i + 1, start, column));
    } else if (nameless_[i]) {
      dataset.doubts.push_back(
          fmt::format("the unnamed column {} is read as data, as {} (an index of the rows? choose the "
                      "other columns by name)",
                      i + 1, column));
    } else if (start >= 0 && rows >= rows_that_count) {
      dataset.notes.push_back(
          fmt::format("column '{}' only counts the rows from {} and is read as data", column, start));
    }
  }
  return dropped;
}

}  // namespace fokker
