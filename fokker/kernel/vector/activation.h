#pragma once
#include <cstdint>

namespace fokker::kernel {

/// Elementwise functions of networks: x sigmoid(x), x or exp(x) - 1 below 0, max(x, 0), x Phi(x), tanh(x),
/// log(1 + exp(x)).
enum class ActivationKind { silu, elu, relu, gelu, tanh, softplus };

/// Float32 numbers in rows whose beginnings lie `stride` apart.
struct MatrixRows {
  float* data = nullptr;
  int64_t stride = 0;
  float* row(int64_t i) const { return data + i * stride; }
};

/// out = f(x) on (rows, columns), which may be the same place. Within 5e-7 max(1, |x|) of the exact value; of
/// NaN NaN. An element's bits do not depend on its place.
void activate(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns, const MatrixRows& out);

/// gradient *= f'(x). Within 5e-7 (1 + |x|) of the exact factor; NaN where x is.
void multiply_by_slope(ActivationKind kind, const MatrixRows& x, int64_t rows, int64_t columns,
                       const MatrixRows& gradient);

}  // namespace fokker::kernel
