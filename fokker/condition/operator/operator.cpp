#include "fokker/condition/operator/operator.h"

#include <numeric>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/random/rng.h"

namespace fokker {
namespace {

constexpr int64_t most_dense = 4096;

int64_t numbers_of(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// (n, shape...).
std::vector<int64_t> batch_of(int64_t n, const std::vector<int64_t>& shape) {
  std::vector<int64_t> sizes{n};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

class DiagonalSpectrum final : public GramSpectrum {
 public:
  explicit DiagonalSpectrum(const Tensor& diagonal) : GramSpectrum(diagonal, 0) {}
  Tensor forward(const Tensor& r) const override { return r; }
  Tensor backward(const Tensor& c) const override { return c; }
};

class DenseSpectrum final : public GramSpectrum {
 public:
  DenseSpectrum(const Tensor& values, Tensor vectors) : GramSpectrum(values), vectors_(std::move(vectors)) {}
  Tensor forward(const Tensor& r) const override { return r.matmul(vectors_.to(r.device())); }
  Tensor backward(const Tensor& c) const override { return c.matmul(vectors_.to(c.device()).t()); }

 private:
  Tensor vectors_;  ///< in columns
};

}  // namespace

GramSpectrum::GramSpectrum(const Tensor& values, double rounding) {
  const Tensor wide = values.detach().to(at::kCPU, at::kDouble).contiguous();
  const double largest = wide.abs().max().item<double>();
  values_ = at::where(wide > rounding * largest, wide, at::zeros_like(wide));
}

std::unique_ptr<const GramSpectrum> diagonal_spectrum(const Tensor& diagonal) {
  return std::make_unique<DiagonalSpectrum>(diagonal);
}

std::unique_ptr<const GramSpectrum> dense_spectrum(const Tensor& gram) {
  const auto [values, vectors] = at::linalg_eigh(gram.to(at::kCPU, at::kDouble), "L");
  return std::make_unique<DenseSpectrum>(values, vectors.contiguous());
}

LinearOperator::LinearOperator(std::string name, std::vector<int64_t> input, std::vector<int64_t> output)
    : name_(std::move(name)), input_(std::move(input)), output_(std::move(output)) {
  const auto some = [](const std::vector<int64_t>& shape) {
    return !shape.empty() && std::all_of(shape.begin(), shape.end(), [](int64_t size) { return size > 0; });
  };
  check(some(input_), "operator {}: expected events of positive sizes but received {}", name_,
        shape_string(input_));
  check(some(output_), "operator {}: expected a measurement of at least one number but received shape {}",
        name_, shape_string(output_));
}

int64_t LinearOperator::dimension() const {
  return numbers_of(input_);
}
int64_t LinearOperator::measured() const {
  return numbers_of(output_);
}

Tensor LinearOperator::apply(const Tensor& x) const try {
  check(x.dim() >= 1 && x.sizes() == IntArrayRef(batch_of(x.size(0), input_)),
        "operator {}: expected events of shape {} but received a batch of shape {}", name_,
        shape_string(input_), shape_string(x));
  return do_apply(x);
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearOperator::adjoint(const Tensor& r) const try {
  check(r.dim() >= 1 && r.sizes() == IntArrayRef(batch_of(r.size(0), output_)),
        "operator {}: expected measurements of shape {} but received a batch of shape {}", name_,
        shape_string(output_), shape_string(r));
  return do_adjoint(r);
} catch (...) {
  detail::throw_as_error();
}

const GramSpectrum& LinearOperator::spectrum() const try {
  std::call_once(once_, [&] {
    const GradientMode off(false);
    spectrum_ = make_spectrum();
  });
  return *spectrum_;
} catch (...) {
  detail::throw_as_error();
}

std::unique_ptr<const GramSpectrum> LinearOperator::make_spectrum() const {
  check(
      measured() <= most_dense,
      "operator {}: expected at most {} measured numbers, as its A A^T is decomposed densely, but it has {}; "
      "override make_spectrum where it has a structure",
      name_, most_dense, measured());
  const Tensor rows = matrix();
  return dense_spectrum(rows.matmul(rows.t()));
}

int64_t LinearOperator::rank() const {
  return (spectrum().values() > 0).sum().item<int64_t>();
}

Tensor LinearOperator::in_spectrum(const Tensor& r, const Tensor& factors) const try {
  const Tensor rows = r.flatten(1).to(at::kDouble), scaled = factors.to(rows.device());
  const GramSpectrum& gram = spectrum();
  return gram.backward(gram.forward(rows) * scaled).reshape(r.sizes()).to(r.scalar_type());
} catch (...) {
  detail::throw_as_error();
}

Tensor LinearOperator::solve(const Tensor& r, double gram, double ridge) const {
  const Tensor total = spectrum().values() * gram + ridge;
  return in_spectrum(r, at::where(total > 0, total.reciprocal(), at::zeros_like(total)));
}

Tensor LinearOperator::pseudo_inverse(const Tensor& r) const {
  return adjoint(solve(r, 1, 0));
}

Tensor LinearOperator::out_of_range(const Tensor& r) const {
  const Tensor& values = spectrum().values();
  if ((values > 0).all().item<bool>()) return at::zeros_like(r);
  return in_spectrum(r, (values == 0).to(at::kDouble));
}

Tensor LinearOperator::matrix() const try {
  const GradientMode off(false);
  const int64_t m = measured();
  return adjoint(at::eye(m, at::kDouble).reshape(batch_of(m, output_)))
      .reshape({m, dimension()})
      .contiguous();
} catch (...) {
  detail::throw_as_error();
}

double adjoint_error(const LinearOperator& a) try {
  const GradientMode off(false);
  const Tensor x = Rng(1).normal(batch_of(1, a.input_shape()), {}, at::kDouble),
               y = Rng(2).normal(batch_of(1, a.output_shape()), {}, at::kDouble);
  const Tensor ax = a.apply(x), ay = a.adjoint(y);
  const double gap = ((ax * y).sum() - (x * ay).sum()).abs().item<double>();
  return gap / (ax.norm() * y.norm() + x.norm() * ay.norm()).clamp_min(1e-300).item<double>();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
