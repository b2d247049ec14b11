#pragma once
#include <memory>
#include <optional>

#include "fokker/table/layout.h"
#include "fokker/table/normal_scores.h"
#include "fokker/table/schema.h"

namespace fokker {

/// Rows in a table's model space.
struct TableRows {
  Tensor x;       ///< (n, dims of the layout) float32
  Tensor levels;  ///< (n, discrete parts) int64
};

/// What of a rounded value's law its row is drawn from, where others beside it were not seen: its own cell,
/// so that it comes back, or all of its share, as in training and where it is given (NormalScores).
enum class Within { cell, share };

/// How the columns of a table stand in its model space, and back: numbers by normal scores, few numbers and
/// ordered levels on a line, categories as corners of a simplex or, where they are many, as fixed random
/// vectors. A missing cell is one more level; a number column with spikes or missing cells has a discrete
/// part, its gate, that says which of them a cell is, or none. Of two columns that say the same in other
/// words, such as a code and its name, the second is no part: it follows from the first.
class TableMap {
 public:
  /// Fitted to cells (n, columns of the schema) float64, NaN where missing. Input error for a level that is
  /// not in the schema, or a column without any cell that is not missing.
  static TableMap fit(const Tensor& cells, std::shared_ptr<const Schema> schema, const Rng& rng);

  const Schema& schema() const { return *schema_; }
  const std::shared_ptr<const Schema>& shared_schema() const { return schema_; }
  const TableLayout& layout() const { return layout_; }

  /// Rows of cells. What the cells leave open, the place in a rounded value's cell and the number beside a
  /// gate that says which one it is, is drawn by `rng` at that position, or where there is none the middle.
  TableRows encode(const Tensor& cells, const Rng* rng = nullptr, DrawPosition position = {},
                   Within within = Within::cell) const;
  /// Cells of rows, (n, columns) float64: the levels and, of numbers, x.
  Tensor decode(const TableRows& rows) const;
  /// The column that determines this one, or -1.
  int64_t twin_of(int64_t column) const { return places_[static_cast<size_t>(column)].twin; }
  /// These columns and those that determine them.
  std::vector<int64_t> with_sources(std::vector<int64_t> columns) const;
  /// Lets what is known of a column be known of the one that determines it: cells (n, columns), known (n,
  /// columns) bool, both changed. Argument error where known cells of the two do not go together.
  void complete(Tensor& cells, Tensor& known) const;
  /// What each dimension of x is: a column, "column=level", or "column[i]" of a code.
  std::vector<std::string> dimension_names() const;
  /// The level of each discrete part whose point is nearest to x (n, dims): (n, discrete parts) int64.
  Tensor nearest_levels(const Tensor& x) const;
  /// Which parts' values a row's cells determine: (n, parts) bool. All but the numbers beside a gate that
  /// says which value it is.
  Tensor determined(const TableRows& rows) const;
  /// Sum over the number parts of log |d x / d cell| where a cell determines them, (n) float64: log density
  /// per unit of the columns, or probability of rounded values, = log density of x + this. Columns of
  /// `without` take no part.
  Tensor log_slope(const TableRows& rows, const std::vector<int64_t>& without = {}) const;

  /// Names of the columns whose likelihood is a probability, and of those where it is a density.
  std::vector<std::string> columns_of_probabilities() const { return columns_by_likelihood(false); }
  std::vector<std::string> columns_of_densities() const { return columns_by_likelihood(true); }

  /// All but the layout, which the network's configuration holds.
  Json to_json() const;
  /// Input error, naming `file`, where it is not one that `to_json` writes, or not of that layout.
  static TableMap from_json(const Json& json, TableLayout layout, const std::string& file = "map of a table");

 private:
  /// Parts of one column; -1 where it has none. A column has a number, or levels, or neither (a constant, or
  /// one that another determines).
  struct Place {
    int64_t number = -1, levels = -1, gate = -1, twin = -1;
    std::optional<NormalScores> scores = {};
    /// Of a number's levels on a line, of the gate's spikes, or of each level of the determining column.
    std::vector<double> values = {};
  };

  std::vector<std::string> columns_by_likelihood(bool density) const;
  void check_places(const std::string& file) const;
  explicit TableMap(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}
  void add_levels(int64_t column, const Tensor& cells, const Rng& rng);
  void add_number(int64_t column, const Tensor& cells, const Rng& rng);
  std::vector<double> line_values(int64_t column, const Tensor& known, double width) const;
  Tensor add_gate(int64_t column, const Tensor& cells, bool with_spikes, const Rng& rng);
  int64_t add_part(TablePart part);
  void order_parts();
  Tensor level_of(int64_t column, const Tensor& cells) const;
  Tensor gate_of(int64_t column, const Tensor& cells) const;
  Tensor filler_levels(const TablePart& part, int64_t n, const Rng* rng, DrawPosition position) const;
  void find_twins(const Tensor& cells);
  int64_t discrete_of(int64_t part) const { return part - layout_.numbers(); }

  void set_layout(TableLayout layout);

  std::shared_ptr<const Schema> schema_;
  TableLayout layout_;
  std::vector<Tensor> points_;  ///< part_points of each part; undefined for numbers
  std::vector<Place> places_;
};

}  // namespace fokker
