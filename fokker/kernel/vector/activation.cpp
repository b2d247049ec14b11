// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/vector/activation.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/activation-inl.h"
#include "fokker/kernel/vector/part_of_vector-inl.h"
// clang-format on

#include "fokker/kernel/vector/activation.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// change(x, out) for each vector of the matrices' rows.
template <typename Change>
HWY_INLINE void for_vectors(const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out,
                            Change change) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < rows; ++i) {
    const float* from = x.row(i);
    float* to = out.row(i);
    int64_t k = 0;
    for (; k + lanes <= columns; k += lanes)
      hn::StoreU(change(hn::LoadU(d, from + k), hn::LoadU(d, to + k)), d, to + k);
    if (k == columns) continue;
    const auto changed = change(load_part(d, from + k, columns - k), load_part(d, to + k, columns - k));
    store_part(changed, d, columns - k, to + k);
  }
}

template <class Function>
HWY_INLINE void values_of(const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out) {
  const hn::ScalableTag<float> d;
  for_vectors(x, rows, columns, out, [d](auto v, auto) HWY_ATTR { return Function::value(d, v); });
}

template <class Function>
HWY_INLINE void slopes_of(const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out) {
  const hn::ScalableTag<float> d;
  for_vectors(x, rows, columns, out,
              [d](auto v, auto g) HWY_ATTR { return hn::Mul(g, Function::slope(d, v)); });
}

/// visit(f) with the function of that kind.
template <typename Visit>
HWY_INLINE void with_function(ActivationKind kind, Visit visit) {
  switch (kind) {
    case ActivationKind::silu:
      return visit(Silu());
    case ActivationKind::elu:
      return visit(Elu());
    case ActivationKind::relu:
      return visit(Relu());
    case ActivationKind::gelu:
      return visit(Gelu());
    case ActivationKind::tanh:
      return visit(Tanh());
    case ActivationKind::softplus:
      return visit(Softplus());
  }
}

void activate(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns,
              const MatrixRows& out) {
  with_function(kind, [&](auto f) HWY_ATTR { values_of<decltype(f)>(x, rows, columns, out); });
}

void multiply_by_slope(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns,
                       const MatrixRows& gradient) {
  with_function(kind, [&](auto f) HWY_ATTR { slopes_of<decltype(f)>(x, rows, columns, gradient); });
}

}  // namespace HWY_NAMESPACE
}  // namespace fokker::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fokker::kernel {

HWY_EXPORT(activate);
HWY_EXPORT(multiply_by_slope);

void activate(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns,
              const MatrixRows& out) {
  HWY_DYNAMIC_DISPATCH(activate)(kind, x, rows, columns, out);
}

void multiply_by_slope(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns,
                       const MatrixRows& gradient) {
  HWY_DYNAMIC_DISPATCH(multiply_by_slope)(kind, x, rows, columns, gradient);
}

}  // namespace fokker::kernel
#endif
