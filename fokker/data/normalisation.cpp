#include "fokker/data/normalisation.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

constexpr double half_range = 127.5;
constexpr double least_eigenvalue = 1e-8;
constexpr int64_t most_rotated = 256;
/// Calls `visit` with blocks of rows (k, d) as float64, so that the copies stay small.
template <typename Visit>
void for_blocks(const Tensor& rows, Visit visit) {
  const int64_t step = rows_per_block(rows.size(1));
  for (int64_t first = 0; first < rows.size(0); first += step)
    visit(rows.slice(0, first, std::min(first + step, rows.size(0))).to(at::kDouble), first);
}

/// The same of rows wherever they are.
template <typename Visit>
void for_blocks(const RowSource& rows, Visit visit) {
  int64_t width = 1;
  for (const int64_t size : rows.event_shape()) width *= size;
  for_row_blocks(rows, rows_per_block(width), [&](const Tensor& block, int64_t first) {
    visit(block.to(at::kCPU).flatten(1).to(at::kDouble), first);
  });
}

[[noreturn]] void name_row_not_finite(const RowSource& rows) {
  for_blocks(rows, [&](const Tensor& block, int64_t first) {
    const Tensor good = block.isfinite().all(1);
    if (!good.all().item<bool>())
      fail(ErrorKind::input, "Normalisation::fit: row {} (from 0) is not finite",
           first + good.logical_not().nonzero()[0].item<int64_t>());
  });
  fail(ErrorKind::input, "Normalisation::fit: a row was not finite, and now all are: the rows have changed");
}

}  // namespace

Normalisation::Normalisation(NormalisationKind kind, std::vector<int64_t> event_shape)
    : kind_(kind), event_shape_(std::move(event_shape)) {
  for (const int64_t size : event_shape_)
    check(size > 0, "Normalisation: expected an event shape of positive sizes but received {}",
          shape_string(event_shape_));
}

int64_t Normalisation::dimension() const {
  int64_t size = 1;
  for (const int64_t s : event_shape_) size *= s;
  return size;
}

Normalisation Normalisation::identity(std::vector<int64_t> event_shape) {
  return {NormalisationKind::identity, std::move(event_shape)};
}

Normalisation Normalisation::pixels(std::vector<int64_t> event_shape, at::ScalarType type) {
  check(event_shape.size() == 3, "Normalisation::pixels: expected (channels, height, width) but received {}",
        shape_string(event_shape));
  check(type == at::kByte || at::isFloatingType(type),
        "Normalisation::pixels: expected images of uint8 or floats but received {}", at::toString(type));
  Normalisation result(NormalisationKind::pixels, std::move(event_shape));
  result.levels_ = type == at::kByte;
  return result;
}

Normalisation Normalisation::of_type(at::ScalarType type) const {
  return kind_ == NormalisationKind::pixels ? pixels(event_shape_, type) : *this;
}

std::string_view Normalisation::units() const {
  if (kind_ != NormalisationKind::pixels) return is_images() ? "[-1, 1]" : "the columns' units";
  return levels_ ? "8-bit levels" : "[-1, 1]";
}

Normalisation Normalisation::fit(const Tensor& values, NormalisationKind kind) try {
  check(values.dim() >= 2 && values.numel() > 0,
        "Normalisation::fit: expected values (n, event...) but received {}", shape_string(values));
  return fit(*rows_of_tensor(values.detach()), kind);
} catch (...) {
  detail::throw_as_error();
}

Normalisation Normalisation::fit(const RowSource& rows, NormalisationKind kind,
                                 const ColumnFigures* known) try {
  check(kind != NormalisationKind::pixels,
        "Normalisation::fit: pixels are not fitted: use Normalisation::pixels");
  check(rows.size() > 0, "Normalisation::fit: expected rows but received none");
  if (kind == NormalisationKind::identity) return identity(rows.event_shape());
  Normalisation result(kind, rows.event_shape());
  const int64_t n = rows.size(), d = result.dimension();
  if (n <= 2 * d || d > most_rotated) result.kind_ = kind = NormalisationKind::standardise;
  const ColumnFigures figures = known ? *known : ColumnFigures::of(rows);
  if (!figures.finite()) name_row_not_finite(rows);
  result.fit_columns(figures);
  if (kind == NormalisationKind::whiten) result.fit_rotation(rows);
  return result;
} catch (...) {
  detail::throw_as_error();
}

void Normalisation::fit_columns(const ColumnFigures& figures) {
  const Tensor range = figures.high() - figures.low();
  check_input(range.isfinite().all().item<bool>(),
              "Normalisation::fit: a column spans more than float64 holds");
  const Tensor constant = constant_range(range);
  shift_ = at::where(constant, figures.low(), figures.mean());
  scale_ = at::where(constant, at::ones_like(range), figures.deviation());
}

void Normalisation::fit_rotation(const RowSource& rows) {
  Tensor correlation = at::zeros({dimension(), dimension()}, at::kDouble);
  for_blocks(rows, [&](const Tensor& block, int64_t) {
    const Tensor z = (block - shift_) / scale_;
    correlation += z.t().mm(z);
  });
  correlation /= static_cast<double>(rows.size());
  const auto [eigenvalues, eigenvectors] = at::linalg_eigh(correlation, "L");
  rotation_ = eigenvectors.contiguous();
  spread_ = eigenvalues.clamp_min(least_eigenvalue).sqrt();
}

template <typename Map>
Tensor Normalisation::map_rows(const char* what, const Tensor& values, at::ScalarType type, Map map) const {
  check(values.dim() >= 1 && values.sizes().slice(1) == IntArrayRef(event_shape_),
        "Normalisation::{}: expected (n, ...) with events of shape {} but received {}", what,
        shape_string(event_shape_), shape_string(values));
  const GradientMode off(false);
  const Tensor source = values.to(at::kCPU).reshape({values.size(0), dimension()});
  Tensor result = at::empty(source.sizes(), at::TensorOptions(type));
  for_blocks(source, [&](const Tensor& block, int64_t first) {
    result.narrow(0, first, block.size(0)).copy_(map(block));
  });
  return result.reshape(values.sizes());
}

Tensor Normalisation::apply(const Tensor& values, at::ScalarType type) const try {
  const bool from_levels = kind_ == NormalisationKind::pixels && values.scalar_type() == at::kByte;
  return map_rows("apply", values, type, [&](const Tensor& x) -> Tensor {
    if (from_levels) return x / half_range - 1;
    if (!shift_.defined()) return x;
    const Tensor z = (x - shift_) / scale_;
    return rotation_.defined() ? z.mm(rotation_) / spread_ : z;
  });
} catch (...) {
  detail::throw_as_error();
}

Tensor Normalisation::invert(const Tensor& values) const try {
  return map_rows("invert", values, data_type(), [&](const Tensor& z) -> Tensor {
    if (!shift_.defined()) return z;
    return (rotation_.defined() ? (z * spread_).mm(rotation_.t()) : z) * scale_ + shift_;
  });
} catch (...) {
  detail::throw_as_error();
}

double Normalisation::largest_between(const Tensor& low, const Tensor& high) const {
  if (!shift_.defined()) return at::maximum(low.abs(), high.abs()).max().item<double>();
  const Tensor z = at::maximum(((low - shift_) / scale_).abs(), ((high - shift_) / scale_).abs());
  if (!rotation_.defined()) return z.max().item<double>();
  return (at::mv(rotation_.t().abs(), z) / spread_).max().item<double>();
}

double Normalisation::log_abs_det() const {
  if (kind_ == NormalisationKind::pixels)
    return levels_ ? -static_cast<double>(dimension()) * std::log(half_range) : 0;
  double result = 0;
  if (scale_.defined()) result -= scale_.log().sum().item<double>();
  if (spread_.defined()) result -= spread_.log().sum().item<double>();
  return result;
}

Tensor Normalisation::pullback_score(const Tensor& score) const try {
  return map_rows("pullback_score", score, data_type(), [&](const Tensor& s) -> Tensor {
    if (levels_) return s / half_range;
    if (!shift_.defined()) return s;
    return (rotation_.defined() ? (s / spread_).mm(rotation_.t()) : s) / scale_;
  });
} catch (...) {
  detail::throw_as_error();
}

Tensor in_unit_range(const Tensor& images, at::ScalarType type) try {
  return Normalisation::pixels(images.sizes().slice(1).vec(), images.scalar_type()).apply(images, type);
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
