#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace fokker::kernel {

// Sums over many rows or pixels. One float32 sum of n terms loses up to n/2 units in its last place, most of
// it where the terms are alike: so float32 adds up few terms, and float64 those sums, in an order that does
// not depend on the number of threads.

/// Terms that one float32 sum takes before float64 does.
constexpr int64_t terms_together = 64;

/// total[k] = the sum over the rows of (count, columns), in their order.
template <typename T>
void add_rows(const double* rows, int64_t count, int64_t columns, T* total) {
  std::vector<double> sums(static_cast<size_t>(columns));
  for (int64_t i = 0; i < count; ++i)
    for (int64_t k = 0; k < columns; ++k) sums[k] += rows[i * columns + k];
  std::transform(sums.begin(), sums.end(), total, [](double sum) { return static_cast<T>(sum); });
}

/// total[j] = the sum, in their order, of the rows of (count, columns) whose index is j: (groups, columns).
inline void add_rows_by_index(const float* rows, const int64_t* index, int64_t count, int64_t columns,
                              int64_t groups, float* total) {
  std::vector<double> sums(static_cast<size_t>(groups * columns));
  for (int64_t i = 0; i < count; ++i)
    for (int64_t k = 0; k < columns; ++k) sums[index[i] * columns + k] += rows[i * columns + k];
  std::transform(sums.begin(), sums.end(), total, [](double sum) { return static_cast<float>(sum); });
}

/// A float32 matrix as the sum of parts of a few hundred terms each: a run of parts is added up in float32,
/// and the runs, where there is more than one, in float64. Threads may add to different places at once.
class SumOfParts {
 public:
  /// `size`: numbers of the whole.
  SumOfParts(int64_t parts, int64_t size)
      : parts_(parts), totals_(parts > run ? static_cast<size_t>(size) : 0) {}

  /// Whether `part` is the first of a run, and so takes the place of what is there.
  static bool begins(int64_t part) { return part % run == 0; }

  /// to += from on (rows, columns), or from is already there where the part begins a run. `offset`: a place
  /// of their own among `size` for these numbers. After the last part `to` is the sum.
  void add(int64_t part, const float* from, int64_t rows, int64_t columns, float* to, int64_t stride,
           int64_t offset) {
    for (int64_t i = 0; !begins(part) && i < rows; ++i)
      for (int64_t k = 0; k < columns; ++k) to[i * stride + k] += from[i * columns + k];
    const bool last = part == parts_ - 1;
    if (totals_.empty() || !(last || begins(part + 1))) return;
    for (int64_t i = 0; i < rows; ++i) {
      double* total = totals_.data() + offset + i * columns;
      float* row = to + i * stride;
      for (int64_t k = 0; k < columns; ++k) total[k] += row[k];
      for (int64_t k = 0; last && k < columns; ++k) row[k] = static_cast<float>(total[k]);
    }
  }

 private:
  static constexpr int64_t run = 16;
  int64_t parts_;
  std::vector<double> totals_;
};

}  // namespace fokker::kernel
