#include "fokker/nn/product_precision.h"

namespace fokker {

thread_local bool Bf16Products::active_ = false;

bool has_bf16_products() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

Tensor factor(const Tensor& x) {
  if (!Bf16Products::active() || !x.defined() || x.scalar_type() != at::kFloat) return x;
  const Tensor rounded = x.to(at::kBFloat16);
  return x.is_cpu() && !has_bf16_products() ? rounded.to(at::kFloat) : rounded;
}

Tensor product(const Tensor& a, const Tensor& b) {
  return at::matmul(factor(a), factor(b)).to(a.scalar_type());
}

}  // namespace fokker
