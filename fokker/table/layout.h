#pragma once
#include <string>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/core/text/json.h"

namespace fokker {

/// One variable of a table's model space: a number whose law over the rows is N(0, 1), or a discrete variable
/// whose levels are points of R^dims, centred at their mean. Noise is added to all of them alike.
struct TablePart {
  enum class Kind {
    number,
    simplex,  ///< level k is `scale` times the k-th unit vector: dims = levels
    line,     ///< level k is the number positions[k]: levels with an order
    codes,    ///< level k is `scale` times a fixed random unit vector: many levels
  };
  Kind kind = Kind::number;
  int64_t column = 0;  ///< of the schema
  int64_t levels = 0;
  int64_t dims = 1;
  double scale = 1;
  /// The last level stands for a missing cell, and a network may be told that it is not this one.
  bool missing = false;
  std::vector<double> prior = {};      ///< (levels) shares of the rows
  std::vector<double> positions = {};  ///< (levels) of a line
  /// (levels entropy_grid().size()) of a discrete variable: nats that its own noised value leaves unknown.
  std::vector<double> entropy = {};

  /// What brings its points to the size that inputs of a network have.
  double feature_scale() const;
  /// The entropy at log(sigma/alpha), by linear interpolation, at least a tenth of the whole.
  double entropy_at(double log_ratio) const;
};

/// Values of log(sigma/alpha) at which entropies are kept.
const std::vector<double>& entropy_grid();

/// Where a part begins: its first dimension, its first level among those of all parts, and how many discrete
/// parts come before it, which is its column among the levels of rows where it is one.
struct PartOffset {
  int64_t dim = 0, level = 0, discrete = 0;
};

/// The model space of a table. Parts are ordered by kind; so are their dimensions, and the levels of the
/// discrete ones.
struct TableLayout {
  std::vector<TablePart> parts;
  int64_t columns = 0;  ///< of the schema: those that a condition can name

  int64_t numbers() const;    ///< parts that are numbers; they come first
  int64_t discretes() const;  ///< all the others
  int64_t dims() const;       ///< of the space
  int64_t levels() const;     ///< of all discrete parts
  /// (columns) bool: whether a network is told of cells of that column that they are not missing.
  Tensor tells_missing() const;
  /// Of each part.
  std::vector<PartOffset> offsets() const;
  Json to_json() const;
  /// Input error, naming `file`, where it is not one that `to_json` writes.
  static TableLayout from_json(const Json& json, const std::string& file = "layout of a table");
};

/// The points of a part's levels: (levels, dims) float32, with the mean over the prior at 0.
Tensor part_points(const TablePart& part);

/// A discrete part of that kind and prior, with its scale and its entropies. A scale is such that its own
/// value under noise of sigma = alpha leaves half of its entropy unknown, as that of a number of N(0, 1)
/// leaves half of its variance: all parts then become known over the same noise levels. Entropies are means
/// over some hundred to some thousand draws.
TablePart fit_part(TablePart part, const Rng& rng);

}  // namespace fokker
