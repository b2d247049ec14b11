#pragma once
#include <string_view>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/core/text/json.h"
#include "fokker/data/column_figures.h"

namespace fokker {

enum class NormalisationKind { identity, pixels, standardise, whiten };
std::string_view to_string(NormalisationKind kind);
/// Argument error listing the kinds where the name is not one of them.
NormalisationKind parse_normalisation_kind(std::string_view name);

/// The invertible affine map between the user's data and the space that a model sees, fitted on training
/// rows.
///
///   standardise:  z = (x - m) / s                       m, s: mean and standard deviation of each column
///   whiten:       z = L^{-1/2} V^T (x - m) / s          V L V^T: the correlation matrix
///   pixels:       z = x / 127.5 - 1                     x: uint8 levels
///
/// All arithmetic is in float64. Standard deviations are those of the population (divided by n).
class Normalisation {
 public:
  /// z = x.
  static Normalisation identity(std::vector<int64_t> event_shape);
  /// Images of that type: uint8 levels 0..255 are mapped to [-1, 1]; floats are in [-1, 1] already.
  static Normalisation pixels(std::vector<int64_t> event_shape, at::ScalarType type);
  /// Fits `standardise` or `whiten` (or makes `identity`) on values (n, event...), n >= 1. A constant column
  /// is only shifted. Eigenvalues below 1e-8 are raised to it, so collinear columns are safe. `whiten`
  /// becomes `standardise` where n <= 2 d or d > 256. Argument error on `pixels`; input error on values that
  /// are not finite or span more than float64 holds.
  static Normalisation fit(const Tensor& values, NormalisationKind kind);
  /// The same of rows wherever they are, with the same bits: one pass over all of them in blocks, and another
  /// for `whiten`. `known`: what a pass has told already, which then is not made again.
  static Normalisation fit(const RowSource& rows, NormalisationKind kind,
                           const ColumnFigures* known = nullptr);

  /// The same map for images of another type than it was made for: `type` decides in which units
  /// log_abs_det() and pullback_score() count. Of a table, itself.
  Normalisation of_type(at::ScalarType type) const;
  /// In what log_abs_det() and pullback_score() count: "8-bit levels", "[-1, 1]" or "the columns' units".
  std::string_view units() const;

  /// Data (n, event...) to model space, of `type`; on the CPU. Images: uint8 levels, or floats in [-1, 1] as
  /// they are.
  Tensor apply(const Tensor& values, at::ScalarType type = at::kFloat) const;
  /// Model space (n, event...) to data: float64 for tables; float32 in [-1, 1] for images, whatever they
  /// were read as. On the CPU.
  Tensor invert(const Tensor& values) const;
  /// No number of a row (d) of a table between `low` and `high` (d), float64, is mapped beyond this.
  double largest_between(const Tensor& low, const Tensor& high) const;
  /// log |det dz/dx|, summed over dimensions: log p_data(x) = log p_model(z) + log_abs_det(). x counts in
  /// units().
  double log_abs_det() const;
  /// grad_x log p_data from grad_z log p_model, (n, event...): J^T score, in the units of log_abs_det().
  /// Types as in `invert`.
  Tensor pullback_score(const Tensor& score) const;

  NormalisationKind kind() const { return kind_; }
  const std::vector<int64_t>& event_shape() const { return event_shape_; }
  bool is_images() const { return event_shape_.size() == 3; }
  /// Numbers in one event.
  int64_t dimension() const;

  /// Every double is written in digits that read back to the same value.
  Json to_json() const;
  /// Input error where the object is not one that `to_json` writes.
  static Normalisation from_json(const Json& json);

 private:
  Normalisation(NormalisationKind kind, std::vector<int64_t> event_shape);
  /// Applies `map` to blocks of rows (k, d) float64 and collects the results as (n, event...) of `type`.
  template <typename Map>
  Tensor map_rows(const char* what, const Tensor& values, at::ScalarType type, Map map) const;
  void fit_columns(const ColumnFigures& figures);
  void fit_rotation(const RowSource& rows);
  at::ScalarType data_type() const { return is_images() ? at::kFloat : at::kDouble; }

  NormalisationKind kind_;
  std::vector<int64_t> event_shape_;
  bool levels_ = false;  ///< pixels: the data is uint8
  Tensor shift_;         ///< (d) float64, for standardise and whiten
  Tensor scale_;         ///< (d)
  Tensor rotation_;      ///< (d, d), V, for whiten
  Tensor spread_;        ///< (d), L^{1/2}, for whiten
};

/// Images (n, channels, height, width) in [-1, 1]: uint8 levels 0..255 by `pixels`, floats as they are.
Tensor in_unit_range(const Tensor& images, at::ScalarType type = at::kFloat);

}  // namespace fokker
