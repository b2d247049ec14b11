#include "fokker/kernel/image/row_layer.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "fokker/kernel/matrix/dense_blocks.h"
#include "fokker/kernel/matrix/gemm.h"
#include "fokker/kernel/vector/scratch.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker::kernel {
namespace {

constexpr int64_t rows_of_part = 256;  // whose products are one float32 sum
// A tile of the gradient that is one task: small enough that threads end together.
constexpr int64_t tile_outputs = 4 * gemm_rows, tile_inputs = 2 * gemm_panel;

int64_t count_of(int64_t numbers, int64_t size) {
  return (numbers + size - 1) / size;
}

}  // namespace

void row_weight_gradient(const MatrixRows& x, int64_t inputs, const MatrixRows& dy, int64_t outputs,
                         int64_t rows, float* dw) {
  const int64_t parts = count_of(rows, rows_of_part), packed = packed_size(rows_of_part, inputs);
  float* factors = scratch(Scratch::shared, parts * packed);
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first = part * rows_of_part, count = std::min(rows_of_part, rows - first);
      pack_matrix({x.row(first), x.stride, 1}, count, inputs, factors + part * packed);
    }
  });
  SumOfParts sum(parts, outputs * inputs);
  const int64_t across = count_of(inputs, tile_inputs);
  for_each_task(count_of(outputs, tile_outputs) * across, [&](int64_t task) {
    const int64_t row = task / across * tile_outputs, column = task % across * tile_inputs;
    const int64_t height = std::min(tile_outputs, outputs - row),
                  width = std::min(tile_inputs, inputs - column);
    float* place = dw + row * inputs + column;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = part * rows_of_part, count = std::min(rows_of_part, rows - first);
      const bool begins = SumOfParts::begins(part);
      float* to = begins ? place : scratch(Scratch::own, tile_outputs * tile_inputs);
      const PackedMatrix factor = {factors + part * packed + column * count, count, width, count};
      gemm({dy.row(first) + row, 1, dy.stride}, height, factor, {}, to, begins ? inputs : width);
      sum.add(part, to, height, width, place, inputs, row * inputs + height * column);
    }
  });
}

}  // namespace fokker::kernel
