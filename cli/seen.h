#pragma once
#include "cli/denoiser_source.h"
#include "fokker/condition/measurement.h"

namespace fokker::cli {

/// What --noise says of a measurement: normal noise of a standard deviation, or counts.
struct NoiseLaw {
  double deviation = 0;  ///< S
  bool counts = false;   ///< y_j ~ Poisson(gain (A x + offset)_j)
  double gain = 1, offset = 0;

  /// "0.05", or poisson, poisson:GAIN, poisson:gain=G,offset=O; offset is 1 of images, whose darkest level is
  /// -1, else 0. Argument errors say what was expected.
  static NoiseLaw parse(const std::string& text, bool images);
  /// A number, or the text of counts.
  Json to_json() const;
  /// As the residual's size is compared with: "noise 0.05", "counts of deviation 1".
  std::string text() const;
};

/// What is measured, in the units of the data and of the model.
struct Seen {
  std::shared_ptr<const LinearOperator> in_user_units;
  NoiseLaw noise;
  Tensor y;  ///< (rows, output...), in the user's units
  std::shared_ptr<const Measurement> in_model;

  /// Of x (rows, n, event...) in the user's units, the root mean square of A x - y, of counts in units of
  /// their deviations sqrt(max(y, 1)).
  double residual(const Tensor& x) const;
  /// What y alone says, A^+ y, of counts A^+ (y / gain - offset): (rows, event...).
  Tensor by_itself() const;
};

/// Input errors name the file, the row and what was expected there; argument errors are make_operator's.
Seen read_measurement(const std::string& file, const std::string& operation, const NoiseLaw& noise,
                      const DenoiserSource& source);

}  // namespace fokker::cli
