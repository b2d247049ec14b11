#pragma once
#include <cstdint>

#include "fokker/kernel/vector/activation.h"

namespace fokker::kernel {

/// dw (outputs, inputs): the gradient of sum(dy (x w^T)) with respect to w, for x (rows, inputs) and dy
/// (rows, outputs), on libtorch's threads. The sum over rows runs in parts of fixed size (sums.h): it does
/// not depend on the number of threads.
void row_weight_gradient(const MatrixRows& x, int64_t inputs, const MatrixRows& dy, int64_t outputs,
                         int64_t rows, float* dw);

}  // namespace fokker::kernel
