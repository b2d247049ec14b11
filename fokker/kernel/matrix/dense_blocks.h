#pragma once
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "fokker/core/stop.h"
#include "fokker/kernel/matrix/dense.h"

namespace fokker::kernel {

/// Numbers from one row of a value to the next. Rows that began a power of two apart would share a few places
/// of the cache.
constexpr int64_t dense_stride(int64_t size) {
  return (size + 15) / 16 * 16 + 16;
}

/// Argument error where the graph's given values are not these.
void check_inputs(const DenseGraph& graph, const std::vector<DenseInput>& inputs);

/// The rows [first, first + count).
struct DenseRows {
  int64_t first = 0, count = 0;
};

/// Rows cut into blocks of nearly equal height, at most `most` (rounded up to multiples of what products take
/// together), as many as `threads` share evenly.
struct DenseBlocks {
  int64_t rows = 0, height = 0;

  DenseBlocks(int64_t all, int64_t most, int64_t together, int64_t threads) : rows(all) {
    const auto parts = [](int64_t count, int64_t size) { return (count + size - 1) / size; };
    const int64_t shared = parts(parts(all, most), threads) * threads;
    height = std::max<int64_t>(1, parts(parts(all, std::max<int64_t>(1, shared)), together)) * together;
  }
  int64_t count() const { return (rows + height - 1) / height; }
  DenseRows operator[](int64_t block) const {
    return {block * height, std::min(height, rows - block * height)};
  }
};

/// A matrix of `rows` rows for each value that is not given, one after another in a buffer.
class ValueMatrices {
 public:
  ValueMatrices(const DenseGraph& graph, int64_t rows, Buffer& buffer) {
    int64_t total = 0;
    for (size_t v = graph.inputs; v < graph.values.size(); ++v)
      total += rows * dense_stride(graph.values[v].size);
    float* next = buffer.reserve(total);
    matrices_.resize(graph.values.size());
    for (size_t v = graph.inputs; v < graph.values.size(); ++v) {
      matrices_[v] = {next, dense_stride(graph.values[v].size)};
      next += rows * matrices_[v].stride;
    }
  }
  MatrixRows from_row(size_t value, int64_t row) const {
    return {matrices_[value].row(row), matrices_[value].stride};
  }

 private:
  std::vector<MatrixRows> matrices_;
};

/// work(i) for i < count, each taken by the next free thread. Heeds the caller's StopRequest: a network's
/// pass over many rows is then left, by `check_stop`, within one task.
template <typename Work>
void for_each_task(int64_t count, Work work) {
  const StopRequest* stop = current_stop_request();
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < count && !(stop && stop->made()); i = next++) work(i);
  });
  check_stop();
}

}  // namespace fokker::kernel
