#include "fokker/data/csv.h"

#include <fmt/ranges.h>

#include <cstring>
#include <map>
#include <set>

#include "fokker/core/error.h"
#include "fokker/data/csv_text.h"
#include "fokker/data/inflate.h"

namespace fokker {
namespace {

constexpr int64_t ignored = -1;
constexpr int64_t label = -2;

/// Where the cells of a row go.
struct Layout {
  std::vector<std::string> names;  ///< of all columns of the file
  std::vector<int64_t> slot;       ///< of each column of the file: place in the result, `ignored` or `label`
  int64_t width = 0;               ///< columns of the result
};

/// Rows of doubles in blocks, so that growing never copies.
class RowBlocks {
 public:
  explicit RowBlocks(int64_t width)
      : width_(width), per_block_(std::max<int64_t>(1, (1 << 17) / std::max<int64_t>(width, 1))) {}
  double* add_row() {
    if (rows_ % per_block_ == 0) blocks_.push_back(std::make_unique<double[]>(per_block_ * width_));
    return blocks_.back().get() + rows_++ % per_block_ * width_;
  }
  int64_t rows() const { return rows_; }
  /// Moves the rows into one tensor; each block is freed as soon as it is copied.
  Tensor take(const std::string& name) {
    Tensor values = allocate(name, {rows_, width_}, at::kDouble);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const int64_t first = static_cast<int64_t>(i) * per_block_;
      const int64_t count = std::min(per_block_, rows_ - first) * width_;
      if (count > 0)
        std::memcpy(values.data_ptr<double>() + first * width_, blocks_[i].get(), count * sizeof(double));
      blocks_[i].reset();
    }
    return values;
  }

 private:
  int64_t width_;
  int64_t per_block_;
  int64_t rows_ = 0;
  std::vector<std::unique_ptr<double[]>> blocks_;
};

/// Labels as text, each distinct one stored once.
class LabelTexts {
 public:
  void add(std::string_view text) {
    const auto found = code_.find(text);
    codes_.push_back(found != code_.end()
                         ? found->second
                         : code_.emplace(text, static_cast<int32_t>(code_.size())).first->second);
  }
  LabelColumn take(const std::string& name) const {
    LabelColumn result;
    std::vector<int64_t> value(code_.size());
    bool all_numbers = true, all_whole = true;
    for (const auto& [text, code] : code_) {
      double number = 0;
      all_numbers = all_numbers && parse_number(text, number) == NumberError::none;
      all_whole = all_whole && all_numbers && number >= 0 && number == std::floor(number) && number < 0x1p31;
      if (all_whole) value[code] = static_cast<int64_t>(number);
    }
    check_input(all_whole || !all_numbers,
                "{}: expected labels that are text or whole numbers from 0 to 2^31 - 1", name);
    if (!all_whole) {
      for (const auto& [text, code] : code_) {
        value[code] = static_cast<int64_t>(result.names.size());
        result.names.push_back(text);
      }
    }
    result.labels = at::empty({static_cast<int64_t>(codes_.size())}, at::kLong);
    auto* out = result.labels.data_ptr<int64_t>();
    for (size_t i = 0; i < codes_.size(); ++i) out[i] = value[codes_[i]];
    return result;
  }

 private:
  std::map<std::string, int32_t, std::less<>> code_;
  std::vector<int32_t> codes_;
};

[[noreturn]] void fail_cell(NumberError error, const std::string& place, std::string_view cell) {
  switch (error) {
    case NumberError::empty:
      fail(ErrorKind::input, "{}: expected a number but the cell is empty", place);
    case NumberError::not_finite:
      fail(ErrorKind::input, "{}: expected a finite number but found '{}'", place, shown(cell));
    case NumberError::too_large:
      fail(ErrorKind::input, "{}: '{}' is too large for a 64-bit number", place, shown(cell));
    default:
      fail(ErrorKind::input, "{}: expected a number but found '{}'", place, shown(cell));
  }
}

/// The table while it is read: layout from the first record, then rows.
class TableReader {
 public:
  explicit TableReader(const std::filesystem::path& path)
      : source_(open_maybe_gzip(path)), records_(*source_) {
    first_ = records_.next();
    check_input(first_.has_value(), "{}: the file is empty", name());
    separator_ = detect_separator(*first_);
    layout_.names = split_cells(*first_, separator_);
    for (const std::string& cell : layout_.names) {
      double number = 0;
      const NumberError error = parse_number(cell, number);
      has_header_ = has_header_ || error == NumberError::text;
    }
    if (!has_header_) layout_.names = default_column_names(static_cast<int64_t>(layout_.names.size()));
    check_names();
  }

  const std::string& name() const { return source_->name(); }
  Layout& layout() { return layout_; }

  int64_t find(const std::string& column) const {
    const auto& names = layout_.names;
    const auto found = std::find(names.begin(), names.end(), column);
    check_input(found != names.end(), "{}: no column '{}': expected one of {}", name(), column,
                fmt::join(names, ", "));
    return found - names.begin();
  }

  Dataset read() {
    RowBlocks rows(layout_.width);
    LabelTexts labels;
    const bool labelled = std::count(layout_.slot.begin(), layout_.slot.end(), label) > 0;
    if (!has_header_) read_row(*first_, rows.add_row(), labels);
    while (const auto record = records_.next()) read_row(*record, rows.add_row(), labels);
    check_input(rows.rows() > 0, "{}: expected rows of data but the file has only a header", name());
    Dataset dataset{.values = rows.take(name()), .source = name()};
    dataset.columns.resize(static_cast<size_t>(layout_.width));
    for (size_t i = 0; i < layout_.slot.size(); ++i)
      if (layout_.slot[i] >= 0) dataset.columns[layout_.slot[i]] = layout_.names[i];
    if (labelled) {
      LabelColumn column = labels.take(name());
      dataset.labels = column.labels;
      dataset.label_names = column.names;
    }
    return dataset;
  }

 private:
  void check_names() {
    std::set<std::string_view> seen;
    for (size_t i = 0; i < layout_.names.size(); ++i) {
      std::string& column = layout_.names[i];
      if (column.empty()) column = fmt::format("x{}", i);
      check_input(seen.insert(column).second, "{}: line {}: two columns are named '{}'", name(),
                  records_.line(), shown(column));
    }
  }

  void read_row(std::string_view record, double* row, LabelTexts& labels) {
    CellReader cells(record, separator_);
    const size_t count = layout_.slot.size();
    size_t found = 0;
    while (const auto cell = cells.next()) {
      const int64_t slot = found < count ? layout_.slot[found] : ignored;
      ++found;
      // A row of the wrong length is told as such, before what its cells hold.
      if (slot >= 0) {
        const NumberError error = parse_number(*cell, row[slot]);
        if (error != NumberError::none) {
          check_length(record);
          fail_cell(error, place(found - 1), *cell);
        }
      } else if (slot == label) {
        // Not check_input: it would compose the place for every row.
        if (cell->empty())
          fail(ErrorKind::input, "{}: expected a label but the cell is empty", place(found - 1));
        labels.add(*cell);
      }
    }
    if (found != count) check_length(record);
  }

  void check_length(std::string_view record) const {
    const size_t found = split_cells(record, separator_).size();
    check_input(found == layout_.slot.size(), "{}: line {}: expected {} columns but found {}", name(),
                records_.line(), layout_.slot.size(), found);
  }

  std::string place(size_t column) const {
    return fmt::format("{}: line {}: column '{}'", name(), records_.line(), shown(layout_.names[column]));
  }

  std::unique_ptr<ByteReader> source_;
  RecordReader records_;
  std::optional<std::string_view> first_;
  Separator separator_;
  bool has_header_ = false;
  Layout layout_;
};

}  // namespace

Dataset load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  TableReader table(path);
  Layout& layout = table.layout();
  layout.slot.assign(layout.names.size(), ignored);
  if (!options.label_column.empty()) layout.slot[table.find(options.label_column)] = label;
  for (const std::string& column : options.columns) {
    int64_t& slot = layout.slot[table.find(column)];
    check_input(slot == ignored, "{}: column '{}' is asked for twice", table.name(), column);
    slot = layout.width++;
  }
  if (options.columns.empty())
    for (int64_t& slot : layout.slot)
      if (slot != label) slot = layout.width++;
  check_input(layout.width > 0, "{}: expected a column of numbers beside the label column '{}'", table.name(),
              options.label_column);
  return table.read();
}

LabelColumn load_csv_labels(const std::filesystem::path& path) {
  TableReader table(path);
  Layout& layout = table.layout();
  check_input(layout.names.size() == 1, "{}: expected one column of labels but found {}", table.name(),
              layout.names.size());
  layout.slot = {label};
  Dataset dataset = table.read();
  return {dataset.labels, dataset.label_names};
}

}  // namespace fokker
