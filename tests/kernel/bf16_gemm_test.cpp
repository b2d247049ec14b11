#include "fokker/kernel/matrix/bf16_gemm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/matrix/bf16_tiles.h"

namespace fokker::kernel {
namespace {

std::vector<float> normals(const char* name, int64_t count) {
  const Tensor values = Rng(12).stream(name).normal({count});
  return {values.data_ptr<float>(), values.data_ptr<float>() + count};
}

double rounded(float x) {
  return static_cast<double>(static_cast<float>(c10::BFloat16(x)));
}

float from_bits(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// What a processor's tiles do, in plain code: rows of 64 bytes, and sums of products of pairs.
struct PlainTiles {
  static inline float tile[8][16][16];
  static void begin() { std::memset(tile, 0, sizeof tile); }
  static void end() {}
  template <int T>
  static void zero() {
    std::memset(tile[T], 0, sizeof tile[T]);
  }
  template <int T>
  static void load(const float* from, int64_t stride) {
    for (int i = 0; i < 16; ++i) std::memcpy(tile[T][i], from + i * stride, 64);
  }
  template <int T>
  static void store(float* to, int64_t stride) {
    for (int i = 0; i < 16; ++i) std::memcpy(to + i * stride, tile[T][i], 64);
  }
  template <int C, int A, int B>
  static void multiply() {
    const auto factor = [](const float(&row)[16], int number) {
      return from_bits(reinterpret_cast<const uint16_t*>(row)[number]);
    };
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 16; ++j)
        for (int k = 0; k < 16; ++k)
          for (int e = 0; e < 2; ++e)
            tile[C][i][j] += factor(tile[A][i], 2 * k + e) * factor(tile[B][k], 2 * j + e);
  }
};

/// A product with every unit that there is here.
struct Unit {
  const char* name;
  void (*multiply)(const MatrixView&, int64_t, const PackedBf16&, const GemmStart&, float*, int64_t);
};

template <Bf16Unit kind>
void by(const MatrixView& a, int64_t m, const PackedBf16& b, const GemmStart& start, float* c,
        int64_t stride) {
  gemm_by(kind, a, m, b, start, c, stride);
}

std::vector<Unit> units() {
  std::vector<Unit> all = {{"rounded factors", by<Bf16Unit::none>}};
  if (has_bf16_vectors()) all.push_back({"vectors", by<Bf16Unit::vectors>});
  if (has_bf16_tiles()) all.push_back({"tiles", by<Bf16Unit::tiles>});
  return all;
}

struct RoundedFactors {
  int64_t m, k, n;
  bool left_transposed, right_transposed;
  std::vector<float> a = normals("a", m*k), b = normals("b", k*n);
  std::vector<uint16_t> panels = std::vector<uint16_t>(packed_bf16_size(k, n));

  PackedBf16 packed() { return pack_bf16(right(), k, n, panels.data()); }
  MatrixView left() const {
    return left_transposed ? MatrixView{a.data(), 1, m} : MatrixView{a.data(), k, 1};
  }
  MatrixView right() const {
    return right_transposed ? MatrixView{b.data(), 1, k} : MatrixView{b.data(), n, 1};
  }
  /// Element (i, j) of the product of the rounded factors, and the sum of the terms' magnitudes.
  std::pair<double, double> exact(int64_t i, int64_t j) const {
    double sum = 0, size = 0;
    for (int64_t p = 0; p < k; ++p) {
      const MatrixView l = left(), r = right();
      const double term = rounded(l.data[i * l.row_stride + p * l.column_stride]) *
                          rounded(r.data[p * r.row_stride + j * r.column_stride]);
      sum += term;
      size += std::abs(term);
    }
    return {sum, size};
  }
};

void expect_sums(const RoundedFactors& f, const GemmStart& start, const std::vector<float>& before,
                 const std::vector<float>& c, int64_t stride) {
  for (int64_t i = 0; i < f.m; ++i) {
    for (int64_t j = 0; j < f.n; ++j) {
      const auto [sum, size] = f.exact(i, j);
      const double first = start.add ? before[i * stride + j] : start.bias ? start.bias[j] : 0.0;
      const double rounding = static_cast<double>(f.k + 2) * 1.2e-7 * (size + std::abs(first));
      ASSERT_NEAR(c[i * stride + j], first + sum, rounding + 1e-12) << i << ", " << j;
    }
    for (int64_t j = f.n; j < stride; ++j) ASSERT_EQ(c[i * stride + j], before[i * stride + j]);
  }
}

class Bf16Gemm : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t, bool, bool>> {};

TEST_P(Bf16Gemm, SumsProductsOfRoundedFactorsInFloat32) {
  const auto [m, k, n, left, right] = GetParam();
  RoundedFactors f{m, k, n, left, right};
  const int64_t stride = n + 3;
  const std::vector<float> before = normals("c", m * stride), bias = normals("bias", n);
  const PackedBf16 packed = f.packed();
  for (const Unit& unit : units()) {
    SCOPED_TRACE(unit.name);
    for (const GemmStart start : {GemmStart{}, GemmStart{.bias = bias.data()}, GemmStart{.add = true}}) {
      std::vector<float> c = before;
      unit.multiply(f.left(), m, packed, start, c.data(), stride);
      expect_sums(f, start, before, c, stride);
    }
  }
}

TEST_P(Bf16Gemm, GivesARowTheSameBitsAmongOthers) {
  const auto [m, k, n, left, right] = GetParam();
  RoundedFactors f{m, k, n, left, right};
  const PackedBf16 packed = f.packed();
  for (const Unit& unit : units()) {
    SCOPED_TRACE(unit.name);
    std::vector<float> all(m * n), one(n);
    unit.multiply(f.left(), m, packed, {}, all.data(), n);
    MatrixView last = f.left();
    last.data += (m - 1) * last.row_stride;
    unit.multiply(last, 1, packed, {}, one.data(), n);
    for (int64_t j = 0; j < n; ++j) ASSERT_EQ(one[j], all[(m - 1) * n + j]) << j;
  }
}

/// The blocking of tiles on any processor: as the kernel lays out its factors, multiplied in plain tiles.
TEST_P(Bf16Gemm, CutsAResultIntoTiles) {
  const auto [m, k, n, left, right] = GetParam();
  RoundedFactors f{m, k, n, left, right};
  const int64_t stride = n + 3, depth = (k + 31) / 32 * 32, padded = (m + 15) / 16 * 16;
  const std::vector<float> before = normals("c", m * stride), bias = normals("bias", n);
  std::vector<uint16_t> a(depth * padded);
  const MatrixView view = f.left();
  for (int64_t i = 0; i < m; ++i)
    for (int64_t p = 0; p < k; ++p)
      a[(p / 32 * padded + i) * 32 + p % 32] =
          c10::BFloat16(view.data[i * view.row_stride + p * view.column_stride]).x;
  for (const GemmStart start : {GemmStart{}, GemmStart{.bias = bias.data()}, GemmStart{.add = true}}) {
    std::vector<float> c = before;
    gemm_in_tiles<PlainTiles>({{a.data(), padded * 32, 32, 2}, m, f.packed(), start, c.data(), stride});
    expect_sums(f, start, before, c, stride);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Bf16Gemm,
                         testing::Combine(testing::Values(1, 8, 31, 33, 64), testing::Values(1, 2, 32, 77),
                                          testing::Values(1, 16, 23, 40, 64), testing::Bool(),
                                          testing::Bool()));

TEST(Bf16Gemm, RoundsToNearestEvenAndKeepsNanAndInfinity) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  const float payload = std::bit_cast<float>(0x7f800001u);  // a NaN whose upper half is infinity's
  const std::vector<float> numbers = {
      0.0f,    -0.0f,    1.0f,           1.0f + 0x1p-8f, 1.0f + 0x3p-8f, 1.0f + 0x1.2p-8f,
      3.4e38f, -3.4e38f, 0x1.fep127f,    0x1.ffp127f,    infinity,       -infinity,
      nan,     payload,  -0x1.0101p-30f, 1.2e-38f};
  std::vector<uint16_t> panels(packed_bf16_size(1, gemm_panel));
  pack_bf16({numbers.data(), 16, 1}, 1, 16, panels.data());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const float found = from_bits(panels[2 * i]);
    if (std::isnan(numbers[i]))
      EXPECT_TRUE(std::isnan(found)) << i;
    else
      EXPECT_EQ(found, static_cast<float>(c10::BFloat16(numbers[i]))) << i;
  }
}

TEST(Bf16Gemm, PassesNanAndInfinityOn) {
  RoundedFactors f{20, 40, 20, false, false};
  f.a[3 * 40 + 5] = std::numeric_limits<float>::quiet_NaN();
  f.a[7 * 40] = std::numeric_limits<float>::infinity();
  const PackedBf16 packed = f.packed();
  for (const Unit& unit : units()) {
    std::vector<float> c(20 * 20);
    unit.multiply(f.left(), 20, packed, {}, c.data(), 20);
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t j = 0; j < 20; ++j) {
        const float x = c[i * 20 + j];
        EXPECT_EQ(std::isnan(x), i == 3) << unit.name << i;
        EXPECT_EQ(std::isinf(x), i == 7) << unit.name << i;
      }
  }
}

}  // namespace
}  // namespace fokker::kernel
