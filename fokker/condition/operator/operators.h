#pragma once
#include <functional>

#include "fokker/condition/operator/operator.h"
#include "fokker/core/text/spec_registry.h"
#include "fokker/data/normalisation.h"

namespace fokker {

/// The coordinates of an event that are seen, each times a weight: inpainting, cropping, missing cells.
class MaskOperator final : public LinearOperator {
 public:
  /// seen: bool of the event's shape, at least one true. scale: (seen numbers) float64, or undefined for 1.
  explicit MaskOperator(const Tensor& seen, const Tensor& scale = {});
  /// The seen numbers of whole events (n, event...): (n, m), without the weights.
  Tensor select(const Tensor& x) const;
  const Tensor& seen() const { return seen_; }

 private:
  Tensor do_apply(const Tensor& x) const override;
  Tensor do_adjoint(const Tensor& r) const override;
  std::unique_ptr<const GramSpectrum> make_spectrum() const override;
  Tensor seen_, index_, scale_;
};

/// y = A x with a matrix (m, d) of any rank: projections, mixtures of columns.
class MatrixOperator final : public LinearOperator {
 public:
  MatrixOperator(const Tensor& matrix, std::vector<int64_t> event);

 private:
  Tensor do_apply(const Tensor& x) const override;
  Tensor do_adjoint(const Tensor& r) const override;
  Tensor matrix_;
};

/// The mean of each K x K patch of an image (channels, height, width), both divisible by K.
class DownsampleOperator final : public LinearOperator {
 public:
  DownsampleOperator(const std::vector<int64_t>& event, int64_t factor);

 private:
  Tensor do_apply(const Tensor& x) const override;
  Tensor do_adjoint(const Tensor& r) const override;
  std::unique_ptr<const GramSpectrum> make_spectrum() const override;
  int64_t factor_;
};

/// A Gaussian blur of images, of standard deviation `sigma` pixels, with the picture reflected at its border
/// (half-sample symmetric: ... b a | a b ...), so that constant pictures stay. A is symmetric: along each
/// axis the cosine transform with the factors exp(-sigma^2 (pi k / n)^2 / 2).
class BlurOperator final : public LinearOperator {
 public:
  BlurOperator(std::vector<int64_t> event, double sigma);

 private:
  Tensor do_apply(const Tensor& x) const override;
  Tensor do_adjoint(const Tensor& r) const override { return do_apply(r); }
  std::unique_ptr<const GramSpectrum> make_spectrum() const override;
  Tensor rows_, columns_;  ///< cosine bases (height, height) and (width, width), orthonormal, in columns
  Tensor factors_;         ///< (height, width)
};

/// A map from two functions of rows: x (n, event...) -> (n, output...) and its adjoint. Argument error where
/// the second is not the adjoint of the first.
class FunctionOperator final : public LinearOperator {
 public:
  using Function = std::function<Tensor(const Tensor&)>;
  FunctionOperator(std::string name, std::vector<int64_t> event, std::vector<int64_t> output, Function apply,
                   Function adjoint);

 private:
  Tensor do_apply(const Tensor& x) const override { return apply_(x); }
  Tensor do_adjoint(const Tensor& r) const override { return adjoint_(r); }
  Function apply_, adjoint_;
};

/// A measurement of data in the user's units, x = slope z + shift, as one of z in the model's space:
/// A x = (A slope) z + A shift.
struct ModelOperator {
  std::shared_ptr<const LinearOperator> on_model;  ///< A slope
  Tensor offset;                                   ///< A shift, (output...) float64
};
ModelOperator in_model_units(const std::shared_ptr<const LinearOperator>& user,
                             const Normalisation& normalisation);

/// What an operator is made for.
struct OperatorFrame {
  std::vector<int64_t> event;             ///< shape of an event in the user's units
  std::vector<std::string> columns = {};  ///< of a table
};

/// By name with its parameter, or several as key=value:
/// - mask:FILE: an image (dark is hidden) or NPY of the event's shape (1 is seen); of one channel for all
/// - mask:columns=a+b: columns of a table that are seen
/// - crop:top=0,left=0,height=14,width=28: a window of an image is seen
/// - matrix:A.npy: (m, d), rows are projections
/// - downsample:K: means over K x K
/// - blur:SIGMA: of so many pixels; see BlurOperator
///
/// Argument and input errors name what does not fit the event.
std::shared_ptr<const LinearOperator> make_operator(const std::string& spec, const OperatorFrame& frame);
std::vector<std::string> operator_names();
std::vector<Description> operator_descriptions();
/// Adds an operator under a name. Its spec is "name:key=value,...". Argument error where the name is taken.
void register_operator(const std::string& name,
                       std::function<std::shared_ptr<const LinearOperator>(Spec&, const OperatorFrame&)> make,
                       const std::string& summary = "");

}  // namespace fokker
