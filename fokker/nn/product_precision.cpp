#include "fokker/nn/product_precision.h"

namespace fokker {

thread_local bool Bf16Products::active_ = false;

namespace {

bool processor_has_bf16_products() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

/// One small product of each kind that networks take. Where its instruction set is limited
/// (ONEDNN_MAX_CPU_ISA), or it was built without them, the library refuses some of them.
bool library_has_bf16_products() {
  const c10::impl::ExcludeDispatchKeyGuard no_gradients(c10::autograd_dispatch_keyset);
  const auto ones = [](at::IntArrayRef shape) { return at::ones(shape, at::kBFloat16); };
  try {
    at::matmul(ones({32, 32}), ones({32, 32}));
    at::matmul(ones({2, 32, 32}), ones({2, 32, 32}));
    at::linear(ones({32, 32}), ones({32, 32}), ones({32}));
    at::conv2d(ones({1, 16, 8, 8}), ones({16, 16, 3, 3}), ones({16}), 1, 1);
    return true;
  } catch (const std::exception&) {  // oneDNN's own errors are not c10's
    return false;
  }
}

}  // namespace

bool has_bf16_products() {
  static const bool has = processor_has_bf16_products() && library_has_bf16_products();
  return has;
}

kernel::FactorPrecision factor_precision() {
  return Bf16Products::active() ? kernel::FactorPrecision::bfloat16 : kernel::FactorPrecision::float32;
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
