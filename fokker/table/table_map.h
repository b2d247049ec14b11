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

/// How the columns of a table stand in its model space, and back: numbers by normal scores, few numbers and
/// ordered levels on a line, categories as corners of a simplex or, where they are many, as fixed random
/// vectors. A missing cell is one more level; a number column with spikes or missing cells has a discrete
/// part, its gate, that says which of them a cell is, or none.
class TableMap {
 public:
  /// Fitted to cells (n, columns of the schema) float64, NaN where missing. Input error for a level that is
  /// not in the schema, or a column without any cell that is not missing.
  static TableMap fit(const Tensor& cells, std::shared_ptr<const Schema> schema, const Rng& rng);

  const Schema& schema() const { return *schema_; }
  const std::shared_ptr<const Schema>& shared_schema() const { return schema_; }
  const TableLayout& layout() const { return layout_; }

  /// Rows of cells. What the cells leave open, the place in a rounded value's cell and the number beside a
  /// gate that says which one it is, is drawn by `rng` at that step, or where there is none the middle.
  TableRows encode(const Tensor& cells, const Rng* rng = nullptr, uint64_t step = 0) const;
  /// Cells of rows, (n, columns) float64: the levels and, of numbers, x.
  Tensor decode(const TableRows& rows) const;
  /// The level of each discrete part whose point is nearest to x (n, dims): (n, discrete parts) int64.
  Tensor nearest_levels(const Tensor& x) const;
  /// Which parts' values a row's cells determine: (n, parts) bool. All but the numbers beside a gate that
  /// says which value it is.
  Tensor determined(const TableRows& rows) const;
  /// Sum over the number parts of log |d x / d cell| where a cell determines them, (n) float64: log density
  /// per unit of the columns, or probability of rounded values, = log density of x + this.
  Tensor log_slope(const TableRows& rows) const;

  /// All but the layout, which the network's configuration holds.
  Json to_json() const;
  /// Input error, naming `file`, where it is not one that `to_json` writes, or not of that layout.
  static TableMap from_json(const Json& json, TableLayout layout, const std::string& file = "map of a table");

 private:
  /// Parts of one column; -1 where it has none. A column has a number, or levels, or neither (a constant).
  struct Place {
    int64_t number = -1, levels = -1, gate = -1;
    std::optional<NormalScores> scores = {};
    std::vector<double> values = {};  ///< of a number's levels on a line, or of the gate's spikes
  };

  void check_places(const std::string& file) const;
  explicit TableMap(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {}
  void add_levels(int64_t column, const Tensor& cells, const Rng& rng);
  void add_number(int64_t column, const Tensor& cells, const Rng& rng);
  Tensor add_gate(int64_t column, const Tensor& cells, bool with_spikes, const Rng& rng);
  int64_t add_part(TablePart part);
  void order_parts();
  Tensor level_of(int64_t column, const Tensor& cells) const;
  Tensor gate_of(int64_t column, const Tensor& cells) const;
  Tensor filler_levels(const TablePart& part, int64_t n, const Rng* rng, uint64_t step) const;
  int64_t discrete_of(int64_t part) const { return part - layout_.numbers(); }

  std::shared_ptr<const Schema> schema_;
  TableLayout layout_;
  std::vector<Place> places_;
};

}  // namespace fokker
