#include "fokker/condition/measurement.h"

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/constants.h"
#include "fokker/core/finite_rows.h"
#include "fokker/target/mixture_posterior.h"

namespace fokker {
namespace {

/// y (rows, output...) as float64.
Tensor measured_rows(const LinearOperator* a, const Tensor& y) {
  check(a != nullptr, "Measurement: expected an operator but received none");
  check(y.dim() >= 1 && y.sizes().slice(1) == IntArrayRef(a->output_shape()),
        "Measurement: expected rows of shape {}, which operator {} measures, but received {}",
        shape_string(a->output_shape()), a->name(), shape_string(y));
  const Tensor rows = y.detach().to(at::kDouble).contiguous();
  if (const int64_t row = first_row_not_finite(rows); row >= 0)
    throw RowError(ErrorKind::argument, row, "the measurement is not finite");
  return rows;
}

/// Rounding of a float32 file is allowed.
void check_in_range(const LinearOperator& a, const Tensor& y) {
  const Tensor outside = a.out_of_range(y).flatten(1).norm(2, 1),
               size = y.flatten(1).norm(2, 1).clamp_min(1e-30);
  const Tensor bad = outside > 1e-5 * size;
  if (!bad.any().item<bool>()) return;
  const int64_t row = bad.nonzero()[0].item<int64_t>();
  throw RowError(
      ErrorKind::argument, row,
      fmt::format("without noise, no x gives this measurement by operator {}, whose rank is {} of {}: "
                  "{:.3g} of its length {:.3g} is out of reach; expected noise > 0",
                  a.name(), a.rank(), a.measured(), outside[row].item<double>(), size[row].item<double>()));
}

void check_batch(const Measurement& measurement, const Tensor& x) {
  check(x.dim() >= 2 && x.size(0) == measurement.rows() &&
            x.sizes().slice(1) == IntArrayRef(measurement.event_shape()),
        "Measurement: expected {} events of shape {}, one per measured row, but received {}",
        measurement.rows(), shape_string(measurement.event_shape()), shape_string(x));
}

Tensor gaussian_log_density(const Tensor& residual, double noise) {
  const auto m = static_cast<double>(residual.size(1));
  return residual.square().sum(1) * (-0.5 / (noise * noise)) - m * (std::log(noise) + 0.5 * log_two_pi);
}

}  // namespace

Tensor likelihood_gradient(const Measurement& measurement, const Tensor& x) try {
  const GradientMode on(true);
  const Tensor leaf = x.detach().clone().requires_grad_();
  return gradients(measurement.log_likelihood(leaf), {leaf}, false)[0];
} catch (...) {
  detail::throw_as_error();
}

LinearMeasurement::LinearMeasurement(std::shared_ptr<const LinearOperator> a, const Tensor& y,
                                     double noise) try
    : a_(std::move(a)), y_(measured_rows(a_.get(), y)), noise_(noise) {
  const GradientMode off(false);
  check(std::isfinite(noise) && noise >= 0, "Measurement: expected noise >= 0 but received {}", noise);
  if (noise == 0) check_in_range(*a_, y_);
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Measurement> LinearMeasurement::select(const Tensor& index) const try {
  std::shared_ptr<LinearMeasurement> part(new LinearMeasurement());
  part->a_ = a_;
  part->y_ = y_.index_select(0, index.to(y_.device()));
  part->noise_ = noise_;
  return part;
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearMeasurement::residual(const Tensor& x) const try {
  check_batch(*this, x);
  return (y_.to(x.device()) - a_->apply(x.to(at::kDouble))).flatten(1);
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearMeasurement::log_likelihood(const Tensor& x, double variance) const try {
  const Tensor r = residual(x);
  if (variance == 0) {
    check(noise_ > 0, "Measurement: without noise a measurement has no density; expected noise > 0");
    return gaussian_log_density(r, noise_);
  }
  const GramSpectrum& gram = a_->spectrum();
  const Tensor total = (gram.values() * variance + noise_ * noise_).to(r.device());
  check((total > 0).all().item<bool>(),
        "Measurement: operator {} has rank {} of {}, so that without noise its measurement has no density; "
        "expected noise > 0",
        a_->name(), a_->rank(), a_->measured());
  return -0.5 * ((gram.forward(r).square() / total).sum(1) + total.log().sum() +
                 static_cast<double>(r.size(1)) * log_two_pi);
} catch (...) {
  detail::throw_as_error();
}

PoissonMeasurement::PoissonMeasurement(std::shared_ptr<const LinearOperator> a, const Tensor& y,
                                       const Options& options) try
    : a_(std::move(a)), y_(measured_rows(a_.get(), y).flatten(1)), options_(options) {
  check(options.gain > 0 && options.least > 0, "PoissonMeasurement: expected gain > 0 and least > 0");
  check(!options.shift.defined() || options.shift.sizes() == IntArrayRef(a_->output_shape()),
        "PoissonMeasurement: expected a shift of shape {} but received {}", shape_string(a_->output_shape()),
        options.shift.defined() ? shape_string(options.shift) : "");
  if (options.shift.defined()) options_.shift = options.shift.detach().to(at::kDouble).flatten();
  const Tensor bad = ((y_ < 0) | (y_ != y_.round())).any(1);
  if (bad.any().item<bool>())
    throw RowError(ErrorKind::argument, bad.nonzero()[0].item<int64_t>(),
                   "expected counts, whole numbers >= 0");
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Measurement> PoissonMeasurement::select(const Tensor& index) const try {
  std::shared_ptr<PoissonMeasurement> part(new PoissonMeasurement());
  part->a_ = a_;
  part->y_ = y_.index_select(0, index.to(y_.device()));
  part->options_ = options_;
  return part;
} catch (...) {
  detail::throw_as_error();
}

Tensor PoissonMeasurement::rate(const Tensor& x) const {
  check_batch(*this, x);
  Tensor level = a_->apply(x.to(at::kDouble)).flatten(1) + options_.offset;
  if (options_.shift.defined()) level = level + options_.shift.to(x.device());
  return level * options_.gain;
}

Tensor PoissonMeasurement::log_likelihood(const Tensor& x, double variance) const try {
  const Tensor mean = rate(x), y = y_.to(x.device());
  const double least = options_.least * options_.gain;
  const Tensor log_rate =
      at::where(mean > least, mean.clamp_min(least).log(), mean / least - 1 + std::log(least));
  const Tensor each = y * log_rate - mean - (y + 1).lgamma(), counts = y.clamp_min(1);
  return (each * (counts / (counts + options_.gain * options_.gain * variance))).sum(1);
} catch (...) {
  detail::throw_as_error();
}

Tensor PoissonMeasurement::residual(const Tensor& x) const try {
  const Tensor y = y_.to(x.device());
  return (y - rate(x)) / y.clamp_min(1).sqrt();
} catch (...) {
  detail::throw_as_error();
}

FunctionMeasurement::FunctionMeasurement(Function f, std::vector<int64_t> event, const Tensor& y,
                                         double noise, double slope) try
    : f_(std::move(f)),
      event_(std::move(event)),
      y_(y.detach().to(at::kDouble).contiguous()),
      noise_(noise),
      slope_(slope) {
  check(std::isfinite(slope) && slope >= 0, "FunctionMeasurement: expected slope >= 0 but received {}",
        slope);
  check(static_cast<bool>(f_), "FunctionMeasurement: expected a function but received none");
  check(y_.dim() == 2, "FunctionMeasurement: expected y of shape (rows, m) but received {}",
        shape_string(y_));
  check(std::isfinite(noise) && noise > 0, "FunctionMeasurement: expected noise > 0 but received {}", noise);
  if (const int64_t row = first_row_not_finite(y_); row >= 0)
    throw RowError(ErrorKind::argument, row, "the measurement is not finite");
} catch (...) {
  detail::throw_as_error();
}

std::shared_ptr<const Measurement> FunctionMeasurement::select(const Tensor& index) const try {
  std::shared_ptr<FunctionMeasurement> part(new FunctionMeasurement());
  *part = *this;
  part->y_ = y_.index_select(0, index.to(y_.device()));
  return part;
} catch (...) {
  detail::throw_as_error();
}

Tensor FunctionMeasurement::residual(const Tensor& x) const try {
  check_batch(*this, x);
  const Tensor value = f_(x);
  check(value.sizes() == y_.sizes(),
        "FunctionMeasurement: expected the function to return {} but received {}", shape_string(y_),
        shape_string(value));
  return y_.to(x.device()) - value.to(at::kDouble);
} catch (...) {
  detail::throw_as_error();
}

Tensor FunctionMeasurement::log_likelihood(const Tensor& x, double variance) const try {
  return gaussian_log_density(residual(x), std::sqrt(noise_ * noise_ + slope_ * slope_ * variance));
} catch (...) {
  detail::throw_as_error();
}

GaussianMixture exact_posterior(const GaussianMixture& prior, const LinearMeasurement& measurement,
                                int64_t row) try {
  check(row >= 0 && row < measurement.rows(), "exact_posterior: expected a row below {} but received {}",
        measurement.rows(), row);
  check(prior.dimension() == measurement.a().dimension(),
        "exact_posterior: expected a prior of {} dimensions, as events have shape {}, but it has {}",
        measurement.a().dimension(), shape_string(measurement.event_shape()), prior.dimension());
  return posterior(prior, measurement.a().matrix(), measurement.y()[row].flatten(), measurement.noise());
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
