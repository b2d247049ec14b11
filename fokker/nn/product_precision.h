#pragma once
#include "fokker/core/tensor.h"
#include "fokker/kernel/matrix/factor.h"

namespace fokker {

/// While one that is on lives, the products of the layers that run on this thread take factors rounded to
/// bfloat16, with sums in float32; weights, activations, norms and everything else stay as they are. Float64
/// is left alone. A fused network's results are float32; libtorch's products are computed and stored in
/// bfloat16 where it has them (AVX512-BF16, AMX; accelerators). Elsewhere the factors are rounded and
/// multiplied in float32: the same to a rounding of the result, and no faster than float32.
class Bf16Products {
 public:
  explicit Bf16Products(bool on) : before_(active_) { active_ = before_ || on; }
  ~Bf16Products() { active_ = before_; }
  Bf16Products(const Bf16Products&) = delete;
  Bf16Products& operator=(const Bf16Products&) = delete;
  static bool active() { return active_; }

 private:
  static thread_local bool active_;
  bool before_;
};

/// Whether the library that computes multiplies bfloat16 itself, on this processor and within the instruction
/// sets that it was limited to: asked once, by trying.
bool has_bf16_products();

/// What fused networks on this thread take now.
kernel::FactorPrecision factor_precision();

/// x as a factor of a product: itself, or rounded where bfloat16 is asked for.
Tensor factor(const Tensor& x);
/// The matrix product of two such factors (batches of matrices in the last two dimensions), of the type of a.
Tensor product(const Tensor& a, const Tensor& b);

}  // namespace fokker
