#include "fokker/kernel/matrix/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "fokker/core/random/rng.h"

namespace fokker::kernel {
namespace {

std::vector<float> drawn(const char* name, int64_t count) {
  const Tensor values = Rng(11).stream(name).normal({count});
  return {values.data_ptr<float>(), values.data_ptr<float>() + count};
}

struct Factors {
  int64_t m, k, n;
  std::vector<float> a = drawn("a", m*k), b = drawn("b", k*n), panels = {};

  Factors(int64_t rows, int64_t depth, int64_t columns) : m(rows), k(depth), n(columns) {
    panels.resize(packed_size(k, n));
  }
  PackedMatrix packed() { return pack_matrix({b.data(), n, 1}, k, n, panels.data()); }
  MatrixView left(bool transposed) const {
    return transposed ? MatrixView{a.data(), 1, m} : MatrixView{a.data(), k, 1};
  }
  /// Element (i, j) in float64, and the sum of the terms' magnitudes, to which rounding is relative.
  std::pair<double, double> exact(int64_t i, int64_t j, bool transposed) const {
    double sum = 0, size = 0;
    for (int64_t p = 0; p < k; ++p) {
      const double term = static_cast<double>(a[transposed ? p * m + i : i * k + p]) * b[p * n + j];
      sum += term;
      size += std::abs(term);
    }
    return {sum, size};
  }
};

class Gemm : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t, bool>> {};

TEST_P(Gemm, EqualsTheSumOfProductsWithinRounding) {
  const auto [m, k, n, transposed] = GetParam();
  Factors f(m, k, n);
  const int64_t stride = n + 3;
  const std::vector<float> before = drawn("c", m * stride), bias = drawn("bias", n);
  for (const GemmStart start : {GemmStart{}, GemmStart{.bias = bias.data()}, GemmStart{.add = true}}) {
    std::vector<float> c = before;
    gemm(f.left(transposed), m, f.packed(), start, c.data(), stride);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const auto [sum, size] = f.exact(i, j, transposed);
        const double first = start.add ? before[i * stride + j] : start.bias ? bias[j] : 0.0;
        const double rounding = static_cast<double>(k + 2) * 6e-8 * (size + std::abs(first));
        ASSERT_NEAR(c[i * stride + j], first + sum, rounding + 1e-12) << i << ", " << j;
      }
      for (int64_t j = n; j < stride; ++j) ASSERT_EQ(c[i * stride + j], before[i * stride + j]);
    }
  }
}

// Panels whole and cut, tiles of every height, more than one block of rows and of depth.
INSTANTIATE_TEST_SUITE_P(Sizes, Gemm,
                         testing::Values(std::tuple{1, 1, 1, false}, std::tuple{7, 5, 3, false},
                                         std::tuple{6, 16, 16, false}, std::tuple{13, 300, 40, true},
                                         std::tuple{121, 257, 33, false}, std::tuple{28, 64, 48, true},
                                         std::tuple{3, 0, 17, false}));

// Rows of the right factor in several parts, in whole and cut panels.
TEST(GemmParts, OfTheRightFactorAddUp) {
  Factors f(13, 300, 40);
  std::vector<float> whole(13 * 40), parts(13 * 40);
  gemm(f.left(false), f.m, f.packed(), {}, whole.data(), f.n);
  const std::vector<std::pair<int64_t, int64_t>> ranges = {{0, 100}, {100, 7}, {107, 193}};
  for (const auto& [first, count] : ranges)
    gemm({f.a.data() + first, f.k, 1}, f.m, f.packed().part(first, count), {.add = first > 0}, parts.data(),
         f.n);
  for (size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(parts[i], whole[i], 2e-5);
}

TEST(GemmRows, AreTheSameWhateverTheirNumber) {
  Factors f(29, 270, 35);
  std::vector<float> whole(29 * 35), single(35);
  gemm(f.left(false), f.m, f.packed(), {}, whole.data(), f.n);
  for (int64_t i = 0; i < f.m; ++i) {
    gemm({f.a.data() + i * f.k, f.k, 1}, 1, f.packed(), {}, single.data(), f.n);
    for (int64_t j = 0; j < f.n; ++j) ASSERT_EQ(single[j], whole[i * f.n + j]);
  }
}

}  // namespace
}  // namespace fokker::kernel
