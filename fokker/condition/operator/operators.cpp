#include "fokker/condition/operator/operators.h"

#include <cmath>
#include <numbers>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

std::vector<int64_t> seen_shape(const Tensor& seen) {
  check(seen.defined() && seen.scalar_type() == at::kBool && seen.dim() >= 1,
        "operator mask: expected bool values of the event's shape");
  return {seen.sum().item<int64_t>()};
}

const std::vector<int64_t>& image_shape(const char* name, const std::vector<int64_t>& event) {
  check(event.size() == 3, "operator {}: expected images (channels, height, width) but events have shape {}",
        name, shape_string(event));
  return event;
}

std::vector<int64_t> reduced(const std::vector<int64_t>& event, int64_t factor) {
  image_shape("downsample", event);
  check(factor > 0, "operator downsample: expected a factor > 0 but received {}", factor);
  check(event[1] % factor == 0 && event[2] % factor == 0,
        "operator downsample: expected a factor that divides {} x {} pixels but received {}", event[1],
        event[2], factor);
  return {event[0], event[1] / factor, event[2] / factor};
}

/// Orthonormal cosine basis (DCT-II) of n points, basis vectors in columns.
Tensor cosine_basis(int64_t n) {
  const Tensor place = at::arange(n, at::kDouble) + 0.5, k = at::arange(n, at::kDouble);
  Tensor basis = (place.unsqueeze(1) * k * (std::numbers::pi / static_cast<double>(n))).cos();
  return basis / basis.norm(2, {0}, true);
}

Tensor axis_factors(int64_t n, double sigma) {
  return (-0.5 * sigma * sigma *
          (at::arange(n, at::kDouble) * (std::numbers::pi / static_cast<double>(n))).square())
      .exp();
}

/// An operator after a linear map of events, z -> z slope (rows), slope (d) or (d, d).
class ComposedOperator final : public LinearOperator {
 public:
  ComposedOperator(std::shared_ptr<const LinearOperator> outer, Tensor slope)
      : LinearOperator(outer->name(), outer->input_shape(), outer->output_shape()),
        outer_(std::move(outer)),
        slope_(std::move(slope)) {}

 private:
  Tensor mapped(const Tensor& z, bool transposed) const {
    const Tensor slope = slope_.to(z.options()), rows = z.flatten(1);
    const Tensor out = slope.dim() == 1 ? rows * slope : rows.matmul(transposed ? slope.t() : slope);
    return out.reshape(z.sizes());
  }
  Tensor do_apply(const Tensor& z) const override { return outer_->apply(mapped(z, false)); }
  Tensor do_adjoint(const Tensor& r) const override { return mapped(outer_->adjoint(r), true); }

  std::shared_ptr<const LinearOperator> outer_;
  Tensor slope_;
};

/// The spectrum of a blur: cosine transforms of each channel.
class CosineSpectrum final : public GramSpectrum {
 public:
  CosineSpectrum(std::vector<int64_t> event, Tensor rows, Tensor columns, const Tensor& values)
      : GramSpectrum(values),
        event_(std::move(event)),
        rows_(std::move(rows)),
        columns_(std::move(columns)) {}
  Tensor forward(const Tensor& r) const override {
    return in_images(r, [&](const Tensor& x) {
      return rows_.to(x.device()).t().matmul(x).matmul(columns_.to(x.device()));
    });
  }
  Tensor backward(const Tensor& c) const override {
    return in_images(c, [&](const Tensor& x) {
      return rows_.to(x.device()).matmul(x).matmul(columns_.to(x.device()).t());
    });
  }

 private:
  template <typename Map>
  Tensor in_images(const Tensor& rows, Map map) const {
    return map(rows.reshape({rows.size(0), event_[0], event_[1], event_[2]})).reshape(rows.sizes());
  }
  std::vector<int64_t> event_;
  Tensor rows_, columns_;
};

}  // namespace

MaskOperator::MaskOperator(const Tensor& seen, const Tensor& scale) try
    : LinearOperator("mask", seen.sizes().vec(), seen_shape(seen)),
      seen_(seen.to(at::kCPU)),
      index_(seen_.flatten().nonzero().squeeze(1)) {
  if (!scale.defined()) return;
  check(scale.sizes() == index_.sizes(), "operator mask: expected {} weights but received shape {}",
        index_.size(0), shape_string(scale));
  scale_ = scale.to(at::kCPU, at::kDouble);
} catch (...) {
  detail::throw_as_error();
}

Tensor MaskOperator::select(const Tensor& x) const try {
  return x.flatten(1).index_select(1, index_.to(x.device()));
} catch (...) {
  detail::throw_as_error();
}

Tensor MaskOperator::do_apply(const Tensor& x) const {
  const Tensor seen = select(x);
  return scale_.defined() ? seen * scale_.to(x.options()) : seen;
}

Tensor MaskOperator::do_adjoint(const Tensor& r) const {
  const Tensor scaled = scale_.defined() ? r * scale_.to(r.options()) : r;
  std::vector<int64_t> shape{r.size(0)};
  shape.insert(shape.end(), input_shape().begin(), input_shape().end());
  return at::zeros({r.size(0), dimension()}, r.options())
      .index_copy(1, index_.to(r.device()), scaled)
      .reshape(shape);
}

std::unique_ptr<const GramSpectrum> MaskOperator::make_spectrum() const {
  return diagonal_spectrum(scale_.defined() ? scale_.square() : at::ones({measured()}, at::kDouble));
}

MatrixOperator::MatrixOperator(const Tensor& matrix, std::vector<int64_t> event) try
    : LinearOperator("matrix", std::move(event), {matrix.dim() == 2 ? matrix.size(0) : 1}),
      matrix_(matrix.detach().to(at::kCPU, at::kDouble)) {
  check(matrix.dim() == 2 && matrix.size(1) == dimension(),
        "operator matrix: expected a matrix of {} columns, as events have shape {}, but received {}",
        dimension(), shape_string(input_shape()), shape_string(matrix));
  check(matrix_.isfinite().all().item<bool>(), "operator matrix: expected finite numbers");
} catch (...) {
  detail::throw_as_error();
}

Tensor MatrixOperator::do_apply(const Tensor& x) const {
  return x.flatten(1).matmul(matrix_.to(x.options()).t());
}

Tensor MatrixOperator::do_adjoint(const Tensor& r) const {
  std::vector<int64_t> shape{r.size(0)};
  shape.insert(shape.end(), input_shape().begin(), input_shape().end());
  return r.matmul(matrix_.to(r.options())).reshape(shape);
}

DownsampleOperator::DownsampleOperator(const std::vector<int64_t>& event, int64_t factor)
    : LinearOperator("downsample", event, reduced(event, factor)), factor_(factor) {}

Tensor DownsampleOperator::do_apply(const Tensor& x) const {
  return at::avg_pool2d(x, {factor_, factor_});
}

Tensor DownsampleOperator::do_adjoint(const Tensor& r) const {
  return r.repeat_interleave(factor_, 2).repeat_interleave(factor_, 3) /
         static_cast<double>(factor_ * factor_);
}

std::unique_ptr<const GramSpectrum> DownsampleOperator::make_spectrum() const {
  return diagonal_spectrum(at::full({measured()}, 1.0 / static_cast<double>(factor_ * factor_), at::kDouble));
}

BlurOperator::BlurOperator(std::vector<int64_t> event, double sigma) try
    : LinearOperator("blur", event, image_shape("blur", event)) {
  check(std::isfinite(sigma) && sigma > 0, "operator blur: expected a width > 0 but received {}", sigma);
  rows_ = cosine_basis(event[1]);
  columns_ = cosine_basis(event[2]);
  factors_ = axis_factors(event[1], sigma).unsqueeze(1) * axis_factors(event[2], sigma);
} catch (...) {
  detail::throw_as_error();
}

Tensor BlurOperator::do_apply(const Tensor& x) const {
  const Tensor rows = rows_.to(x.options()), columns = columns_.to(x.options());
  const Tensor inside = rows.t().matmul(x).matmul(columns) * factors_.to(x.options());
  return rows.matmul(inside).matmul(columns.t());
}

std::unique_ptr<const GramSpectrum> BlurOperator::make_spectrum() const {
  const Tensor values = factors_.square().expand(input_shape()).flatten();
  return std::make_unique<CosineSpectrum>(input_shape(), rows_, columns_, values);
}

FunctionOperator::FunctionOperator(std::string name, std::vector<int64_t> event, std::vector<int64_t> output,
                                   Function apply, Function adjoint) try
    : LinearOperator(std::move(name), std::move(event), std::move(output)),
      apply_(std::move(apply)),
      adjoint_(std::move(adjoint)) {
  check(apply_ && adjoint_, "operator {}: expected two functions", this->name());
  const double error = adjoint_error(*this);
  check(
      error < 1e-8,
      "operator {}: expected <A x, y> = <x, A^T y> but the second function is not the adjoint of the first: "
      "they differ by {} of their size",
      this->name(), error);
} catch (...) {
  detail::throw_as_error();
}

ModelOperator in_model_units(const std::shared_ptr<const LinearOperator>& user,
                             const Normalisation& normalisation) try {
  const GradientMode off(false);
  std::vector<int64_t> one{1};
  one.insert(one.end(), user->input_shape().begin(), user->input_shape().end());
  const auto kind = normalisation.kind();
  // Images are measured in [-1, 1], which is the model's space.
  if (kind == NormalisationKind::identity || kind == NormalisationKind::pixels)
    return {user, at::zeros(user->output_shape(), at::kDouble)};
  const int64_t d = normalisation.dimension();
  const Tensor shift = normalisation.invert(at::zeros(one, at::kDouble)).to(at::kDouble);
  const Tensor offset = user->apply(shift).squeeze(0);
  if (kind == NormalisationKind::whiten) {
    const Tensor slope = normalisation.invert(at::eye(d, at::kDouble)) - shift;
    return {std::make_shared<ComposedOperator>(user, slope), offset};
  }
  const Tensor slope = (normalisation.invert(at::ones(one, at::kDouble)) - shift).to(at::kDouble);
  if (const auto* mask = dynamic_cast<const MaskOperator*>(user.get()))
    return {std::make_shared<MaskOperator>(mask->seen(), mask->apply(slope).squeeze(0)), offset};
  return {std::make_shared<ComposedOperator>(user, slope.flatten()), offset};
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
