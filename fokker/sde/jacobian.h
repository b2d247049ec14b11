#pragma once
#include <functional>

#include "fokker/core/tensor.h"

namespace fokker {

/// A function of rows, computed row by row: x (n, d) -> (n, ...).
using RowFunction = std::function<Tensor(const Tensor& x)>;

// Exact derivatives by automatic differentiation. Where x requires gradients and they are being recorded, so
// is the result; otherwise the result is detached. What does not depend on x has derivative zero.

/// (n, r, d): entry (i, j) is df_i / dx_j, for f: (n, d) -> (n, r). r backward passes.
Tensor jacobian(const RowFunction& f, const Tensor& x);

/// (n, d): df_i / dx_i, for f: (n, d) -> (n, d). d backward passes.
Tensor jacobian_diagonal(const RowFunction& f, const Tensor& x);

/// (n, d): gradient of f_1 + ... + f_r, for f: (n, d) -> (n, r). One backward pass.
Tensor gradient_of_sum(const RowFunction& f, const Tensor& x);

/// (n, r): sum over j of df_ij / dx_j, the divergence of each row of f: (n, d) -> (n, r, d). d + 1 backward
/// passes.
Tensor row_divergence(const RowFunction& f, const Tensor& x);

}  // namespace fokker
