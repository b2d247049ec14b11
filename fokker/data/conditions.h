#pragma once
#include <optional>
#include <string>
#include <vector>

#include "fokker/data/dataset.h"
#include "fokker/data/normalisation.h"

namespace fokker {

/// Takes columns of a table out of its values: they become its conditions, in the order of `names`. Input
/// errors, naming the source: a column that is not there, listing those that are; one that is named twice;
/// all of the columns.
Dataset take_conditions(Dataset table, const std::vector<std::string>& names);

/// The table as it was before take_conditions: all columns in their places. A data set whose conditions are
/// no columns of its own stays as it is.
Dataset with_condition_columns(Dataset data);

/// The names of all columns of a table, conditions in their places.
std::vector<std::string> all_columns(const std::vector<std::string>& columns,
                                     const std::vector<std::string>& conditions,
                                     const std::vector<int64_t>& places);

/// What a model knows of the vectors that its rows are conditioned on: their names, and the way to the
/// network's units.
struct ConditionMap {
  std::vector<std::string> columns;  ///< in the order of the vector; empty where there is no condition
  /// Where they stand among all columns of the table; empty where they came from a file of their own.
  std::vector<int64_t> places = {};
  /// Standardises them by the training's means and deviations; none for a table with a schema, whose map is
  /// theirs too.
  std::optional<Normalisation> scale = {};
  Tensor low = {}, high = {};  ///< (k) of the training; undefined beside a schema
  /// (d, k), of rows in the model's space on conditions in the network's units (RegressedDenoiser); undefined
  /// where the network learns all of it.
  Tensor regression = {};

  bool any() const { return !columns.empty(); }
  int64_t size() const { return static_cast<int64_t>(columns.size()); }

  /// Of the conditions of training rows. Input error, naming the source and the column, where one is constant
  /// or not finite.
  static ConditionMap fit(const Dataset& training);
  /// (n, k) in the user's units to the network's; rows of NaN stay so. Argument error for another width.
  Tensor to_model(const Tensor& values, at::ScalarType type) const;
  /// For the first column with a value that lies further beyond those of the training than a tenth of their
  /// range, its name and that value.
  struct Beyond {
    std::string column;
    double value, low, high;
    int64_t rows;
  };
  std::optional<Beyond> beyond(const Tensor& values) const;

  Json to_json() const;
  /// Input error, naming the place, where the object is not one that `to_json` writes.
  static ConditionMap from_json(const Json& json, const std::string& place);
};

}  // namespace fokker
