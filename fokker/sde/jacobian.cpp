#include "fokker/sde/jacobian.h"

#include <torch/csrc/autograd/autograd.h>

#include "fokker/core/boundary.h"

namespace fokker {
namespace {

/// Records f(x) for a scope, on x itself where the caller wants gradients through the result.
class Recording {
 public:
  Recording(const RowFunction& f, const Tensor& x)
      : keep_(at::GradMode::is_enabled() && x.requires_grad()), mode_(true) {
    input = keep_ ? x : x.detach().requires_grad_(true);
    output = f(input);
  }

  /// Gradient of sum(value) with respect to `variable`, zero where it does not depend on it.
  Tensor gradient(const Tensor& value, const Tensor& variable, bool create_graph) const {
    if (!value.requires_grad()) return at::zeros_like(variable);
    const auto result = torch::autograd::grad({value.sum()}, {variable}, {}, /*retain_graph=*/true,
                                              create_graph, /*allow_unused=*/true);
    return result[0].defined() ? result[0] : at::zeros_like(variable);
  }
  Tensor gradient(const Tensor& value) const { return gradient(value, input, keep_); }
  bool keep() const { return keep_; }

  Tensor input, output;

 private:
  bool keep_;
  GradientMode mode_;
};

}  // namespace

Tensor jacobian(const RowFunction& f, const Tensor& x) try {
  const Recording record(f, x);
  std::vector<Tensor> rows;
  for (int64_t i = 0; i < record.output.size(1); ++i)
    rows.push_back(record.gradient(record.output.select(1, i)));
  return at::stack(rows, 1);
} catch (...) {
  detail::throw_as_error();
}

Tensor jacobian_diagonal(const RowFunction& f, const Tensor& x) try {
  const Recording record(f, x);
  std::vector<Tensor> entries;
  for (int64_t i = 0; i < x.size(1); ++i)
    entries.push_back(record.gradient(record.output.select(1, i)).select(1, i));
  return at::stack(entries, 1);
} catch (...) {
  detail::throw_as_error();
}

Tensor gradient_of_sum(const RowFunction& f, const Tensor& x) try {
  const Recording record(f, x);
  return record.gradient(record.output);
} catch (...) {
  detail::throw_as_error();
}

// The gradient of sum(f v) in x is linear in v, and its derivative in v is the Jacobian again: one pass gives
// df_ij / dx_k of all i and j for one k, where differentiating each f_ij would take r d passes.
Tensor row_divergence(const RowFunction& f, const Tensor& x) try {
  const Recording record(f, x);
  const Tensor v = at::ones_like(record.output).requires_grad_(true);
  const Tensor weighted = record.gradient(record.output * v, record.input, /*create_graph=*/true);
  Tensor divergence = at::zeros_like(record.output.select(2, 0));
  for (int64_t k = 0; k < x.size(1); ++k)
    divergence = divergence + record.gradient(weighted.select(1, k), v, record.keep()).select(2, k);
  return record.keep() ? divergence : divergence.detach();
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
