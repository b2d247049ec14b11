#pragma once
#include "fokker/core/tensor.h"

namespace fokker {

/// What is known of rows: columns whose parts are given, and their clean values; and columns of which no more
/// is known than that the cell is not missing: there the probability of that level is 0.
struct TableCondition {
  Tensor mask;  ///< (n, columns) of x's type: 1 where given, -1 where not missing; undefined where nothing is
  Tensor x0;    ///< (n, dims); where the mask is not 1 it plays no part
};

/// What a network of rows should have said.
struct TableTargets {
  Tensor numbers;  ///< (n, numbers): EDM's F
  Tensor levels;   ///< (n, discrete parts) int64
};

}  // namespace fokker
