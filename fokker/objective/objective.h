#pragma once
#include "fokker/core/random/rng.h"
#include "fokker/denoise/denoiser.h"

namespace fokker {

/// Training rows in model units, with the position that keys their noise.
struct Batch {
  Tensor x0;     ///< (n, event...)
  Tensor label;  ///< (n) int64 classes, (n, k) conditions in the network's units, or undefined
  uint64_t step = 0;
  Tensor levels = {};  ///< of a table: (n, discrete parts) int64, the levels that x0 holds the points of
  int64_t first = 0;   ///< of a batch that processes share: the place of row 0 in it
  int64_t whole = 0;   ///< the rows of all; 0: there are no others
  bool labels_kept = false;  ///< none is dropped: the network knows no rows without (Network::knows_no_label)

  /// What is random of row i is that of row first + i of the whole.
  DrawPosition position() const { return {first, step}; }
  /// The probability with which a label is dropped, where an objective asks for this one.
  double dropout(double probability) const { return labels_kept ? 0 : probability; }
  int64_t whole_size() const { return whole > 0 ? whole : x0.size(0); }
  /// The part of numbers that are drawn for the whole, (whole_size) -> (n).
  Tensor part_of(const Tensor& numbers) const { return numbers.narrow(0, first, x0.size(0)); }
};

/// A training loss: a function of a denoiser and a batch.
class Objective {
 public:
  virtual ~Objective() = default;
  /// One loss per row, (n), differentiable in the denoiser's parameters. Its mean is what training minimises.
  virtual Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const = 0;
  /// The time of each row that `loss` would draw, (n) float64, where what it asks of the denoiser does not
  /// tell; otherwise undefined.
  virtual Tensor times(const GaussianProcess& /*process*/, const Batch& /*batch*/, const Rng& /*rng*/) const {
    return {};
  }
};

}  // namespace fokker
