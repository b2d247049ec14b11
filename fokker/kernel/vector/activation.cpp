// Compiled once per instruction set by Highway; the best one that the processor has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fokker/kernel/vector/activation.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file again for each target
#include <hwy/highway.h>
#include "fokker/kernel/vector/activation-inl.h"
#include "fokker/kernel/vector/vector_loops-inl.h"
// clang-format on

#include "fokker/kernel/vector/activation.h"

HWY_BEFORE_NAMESPACE();
namespace fokker::kernel {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Function>
HWY_INLINE void values_of(const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out) {
  const hn::ScalableTag<float> d;
  for (int64_t i = 0; i < rows; ++i)
    for_vectors(d, columns, [&, from = x.row(i), to = out.row(i)](auto access, int64_t k) HWY_ATTR {
      access.store(Function::value(d, access.load(d, from + k)), d, to + k);
    });
}

template <class Function>
HWY_INLINE void slopes_of(const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out) {
  const hn::ScalableTag<float> d;
  for (int64_t i = 0; i < rows; ++i)
    for_vectors(d, columns, [&, from = x.row(i), to = out.row(i)](auto access, int64_t k) HWY_ATTR {
      const auto slope = Function::slope(d, access.load(d, from + k));
      access.store(hn::Mul(access.load(d, to + k), slope), d, to + k);
    });
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
