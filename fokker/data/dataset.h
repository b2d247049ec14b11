#pragma once
#include <memory>
#include <string>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/tensor.h"
#include "fokker/data/csv/csv_format.h"
#include "fokker/data/rows/row_source.h"
#include "fokker/table/schema.h"

namespace fokker {

/// Rows of data as they were read, in the user's own units.
struct Dataset {
  /// Tables: (n, d) float64. Images: (n, channels, height, width), uint8 levels 0..255 or float32 in [-1, 1].
  /// Undefined where the rows are `stored`.
  Tensor values;
  /// Names of the d columns of a table; empty for images.
  std::vector<std::string> columns = {};
  /// (n) int64: places in `label_names`, or undefined where the data has no labels.
  Tensor labels = {};
  /// What the data calls each label, as `name_labels` makes them (labels.h).
  std::vector<std::string> label_names = {};
  /// The file or folder that the data came from.
  std::string source = {};
  /// What was decided while reading, each a clause such as "comma, header, 500 rows".
  std::vector<std::string> notes = {};
  /// Guesses that could have lost a row or kept what is no data, each with what overrules it.
  std::vector<std::string> doubts = {};
  /// The column of a table that the labels came from; empty where they have none.
  std::string label_column = {};
  /// Whether the file names its columns; otherwise they are called x0, x1, ... by their place.
  bool columns_named = false;
  /// What the columns of a table hold, and so what its values mean (schema.h); null where all are plain
  /// numbers.
  std::shared_ptr<const Schema> schema = nullptr;
  /// (n, k) float64, in the user's units: what is known beside each row and is not part of it, as
  /// take_conditions makes it of columns of a table (conditions.h); undefined where there is none.
  Tensor conditions = {};
  std::vector<std::string> condition_columns = {};  ///< their k names
  /// Where they stood among all columns of the table; empty where they came from another file.
  std::vector<int64_t> condition_places = {};
  /// How the delimited text of a table was written, and is again by save_table.
  CsvFormat format = {};
  /// In place of `values`: rows that stay where they are and are read as they are asked for
  /// (LoadOptions::stream). Labels and conditions are in memory all the same.
  Rows stored = nullptr;

  bool is_images() const { return stored ? stored->event_shape().size() == 3 : values.dim() == 4; }
  int64_t size() const { return stored ? stored->size() : values.size(0); }
  /// Shape of one row: (d) or (channels, height, width).
  std::vector<int64_t> event_shape() const {
    return stored ? stored->event_shape() : values.sizes().slice(1).vec();
  }
  /// Of the values.
  at::ScalarType type() const { return stored ? stored->type() : values.scalar_type(); }
  /// The rows, wherever they are.
  Rows source_of_rows() const { return stored ? stored : rows_of_tensor(values); }
  /// The values at `indices` (k) int64: (k, event...). Argument error where an index is out of range.
  Tensor rows(const Tensor& indices) const;
  /// The values of rows first, ..., first + count - 1. Argument error beyond the end.
  Tensor block(int64_t first, int64_t count) const;
  /// The same dataset restricted to `indices` (k) int64, with labels and conditions; stored where it is.
  Dataset subset(const Tensor& indices) const;
  /// The same without `indices` (k) int64, which are sorted and different.
  Dataset without(const Tensor& indices) const;
  /// The same with its values in memory.
  Dataset loaded() const;
};

struct Split {
  Dataset training;
  Dataset held_out;
};

/// Splits at random into two datasets; each keeps the original order of its rows. The same rng gives the same
/// split. Both parts get at least one row where n >= 2; a single row goes to training (and held_out is
/// empty). Every label is trained on: of one that chance would only hold out, the first row held out goes to
/// training instead. Argument error unless 0 < training_fraction <= 1 and the dataset has rows.
Split split_rows(const Dataset& dataset, double training_fraction, const Rng& rng);

/// x0, x1, ...: names for the columns of a table that has none.
std::vector<std::string> default_column_names(int64_t count);

}  // namespace fokker
