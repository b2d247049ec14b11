// The vector kernel of the random numbers, against its definition, long double and the normal law.
#include "fokker/core/random/philox.h"

#include <gtest/gtest.h>

#include <numbers>

#include "fokker/core/random/rng.h"
#include "instruction_sets.h"

namespace fokker {
namespace {

template <typename T>
using Fill = void (*)(const PhiloxRows&, int64_t, int64_t, T*);

template <typename T>
std::vector<T> filled_rows(const PhiloxRows& rows, int64_t count, Fill<T> fill) {
  std::vector<T> out(count * rows.columns, T(-99));
  fill(rows, 0, count * blocks_per_row<T>(rows), out.data());
  return out;
}

struct Pair {
  long double u1, turn;
  int64_t first, second;  ///< places of the two numbers in their block
};

std::vector<Pair> pairs_of(const PhiloxRows& rows, int64_t row, int64_t block, float) {
  const auto words = random_block(rows, row, block);
  std::vector<Pair> pairs;
  for (const int64_t i : {0, 1})
    pairs.push_back({((words[i] >> 1) + 0.5f) * 0x1p-31f, words[i + 2] * 0x1p-32L, i, i + 2});
  return pairs;
}
std::vector<Pair> pairs_of(const PhiloxRows& rows, int64_t row, int64_t block, double) {
  const auto u = uniform_block<double>(rows, row, block);
  return {{u[0], u[1], 0, 1}};
}

/// Largest distances, in units of the radius, of normal numbers from what exact arithmetic makes of their
/// random bits.
template <typename T>
double error_of_normals(const PhiloxRows& rows, int64_t count, const std::vector<T>& z) {
  double error = 0;
  for (int64_t row = 0; row < count; ++row)
    for (int64_t block = 0; block < blocks_per_row<T>(rows); ++block)
      for (const Pair& pair : pairs_of(rows, row, block, T())) {
        const T* at = z.data() + row * rows.columns + block * philox_block<T>;
        const long double radius = std::sqrt(-2 * std::log(pair.u1));
        const long double angle = 2 * std::numbers::pi_v<long double> * pair.turn;
        if (radius == 0) continue;  // then both are zero, as the largest error of others says
        const long double first = at[pair.first] / radius - std::cos(angle),
                          second = at[pair.second] / radius - std::sin(angle);
        error =
            std::max({error, std::abs(static_cast<double>(first)), std::abs(static_cast<double>(second))});
      }
  return error;
}

template <typename T>
class PhiloxKernel : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PhiloxKernel, Types);

TYPED_TEST(PhiloxKernel, UniformsAreThePlainOnesForEveryEventSize) {
  for (const int64_t columns : {1, 2, 3, 4, 5, 7, 8, 20, 63, 64, 65, 784})
    for (const uint64_t sample : {uint64_t{0}, (uint64_t{1} << 32) - 5, uint64_t{1} << 40}) {
      const PhiloxRows rows{.key = {7, 9}, .step = 3, .first_sample = sample, .columns = columns};
      EXPECT_EQ(filled_rows<TypeParam>(rows, 21, fill_uniforms<TypeParam>),
                filled_rows<TypeParam>(rows, 21, fill_uniforms_plain<TypeParam>))
          << columns << " columns from sample " << sample;
    }
}

// Two units in the last place of the radius: each of logarithm, root, sine and product adds about half of
// one.
TYPED_TEST(PhiloxKernel, NormalsAreBoxMullerOfTheirBits) {
  const PhiloxRows rows{.key = {1, 2}, .columns = 1000};
  const double unit = std::numeric_limits<TypeParam>::epsilon();
  const double error =
      error_of_normals(rows, 1000, filled_rows<TypeParam>(rows, 1000, fill_normals<TypeParam>));
  ::testing::Test::RecordProperty("error_in_units", std::to_string(error / unit));
  EXPECT_LT(error, 2 * unit);
  // The definition's angle is rounded before its sine is taken.
  EXPECT_LT(error_of_normals(rows, 300, filled_rows<TypeParam>(rows, 300, fill_normals_plain<TypeParam>)),
            6 * unit);
}

TYPED_TEST(PhiloxKernel, ValuesDoNotDependOnWhereARangeBeginsOrEnds) {
  for (const int64_t columns : {1, 2, 3, 5, 6, 64, 401}) {
    const PhiloxRows rows{.key = {3, 4}, .step = 1, .first_sample = 11, .columns = columns};
    const int64_t count = columns > 60 ? 3 : 70, blocks = count * blocks_per_row<TypeParam>(rows);
    const auto whole = filled_rows<TypeParam>(rows, count, fill_normals<TypeParam>);
    for (int64_t split = 0; split <= blocks; split += 1 + split / 40) {
      std::vector<TypeParam> parts(whole.size() + 1, TypeParam(-99));
      TypeParam* shifted = parts.data() + 1;  // also off the alignment
      fill_normals<TypeParam>(rows, 0, split, shifted);
      fill_normals<TypeParam>(rows, split, blocks, shifted);
      ASSERT_TRUE(std::equal(whole.begin(), whole.end(), shifted)) << columns << " columns at " << split;
    }
  }
}

TYPED_TEST(PhiloxKernel, EveryInstructionSetGivesTheSameBits) {
  const PhiloxRows rows{.key = {5, 6}, .columns = 37};
  const auto best = filled_rows<TypeParam>(rows, 500, fill_normals<TypeParam>);
  on_each_instruction_set(
      [&] { EXPECT_EQ(filled_rows<TypeParam>(rows, 500, fill_normals<TypeParam>), best); });
}

// Uniform numbers (k + 1/2) / 2^24 reach from 2^-25 to the number below 1. Normal ones end at sqrt(64 log 2)
// = 6.66, and up to where they are counted their tails are those of the law: five standard errors.
TEST(PhiloxTails, TheLargestAndSmallestNumbersAreRight) {
  float largest = 0, lowest = 1, highest = 0;
  const PhiloxRows rows{.key = {8, 8}, .columns = 1 << 22};
  std::vector<float> numbers(rows.columns);
  const std::array<float, 4> ends = {3, 4, 4.5, 5};
  std::array<double, 4> beyond{};
  constexpr uint32_t steps = 16;
  for (uint32_t step = 0; step < steps; ++step) {
    PhiloxRows draw = rows;
    draw.step = step;
    fill_uniforms<float>(draw, 0, blocks_per_row<float>(draw), numbers.data());
    for (const float u : numbers) lowest = std::min(lowest, u), highest = std::max(highest, u);
    fill_normals<float>(draw, 0, blocks_per_row<float>(draw), numbers.data());
    for (const float z : numbers) {
      largest = std::max(largest, std::abs(z));
      for (size_t i = 0; i < ends.size(); ++i) beyond[i] += std::abs(z) > ends[i];
    }
  }
  EXPECT_EQ(lowest, 0x1p-25f);  // each end is missed with probability exp(-4), so seen once and fixed
  EXPECT_EQ(highest, 1 - 0x1p-24f);
  EXPECT_LE(largest, std::sqrt(64 * std::log(2.0)) * (1 + 1e-6));
  EXPECT_GT(largest, 5.2f);  // of 7 10^7 numbers, all are below with probability exp(-13)
  for (size_t i = 0; i < ends.size(); ++i) {
    const double expected = steps * static_cast<double>(rows.columns) * std::erfc(ends[i] / std::sqrt(2.0));
    EXPECT_NEAR(beyond[i], expected, 5 * std::sqrt(expected)) << "beyond " << ends[i];
  }
}

// 10^7 numbers: moments within five standard errors, the distribution within Kolmogorov's bound (2e-6
// beyond).
TEST(PhiloxLaw, IsStandardNormal) {
  const int64_t n = 10'000'000;
  const Tensor z = Rng(1).normal({n / 100, 100}).flatten().to(at::kDouble);
  const double root = std::sqrt(static_cast<double>(n));
  const Tensor square = z.square();
  EXPECT_NEAR(z.mean().item<double>(), 0, 5 / root);
  EXPECT_NEAR(square.mean().item<double>(), 1, 5 * std::sqrt(2.0) / root);
  EXPECT_NEAR((square * z).mean().item<double>(), 0, 5 * std::sqrt(15.0) / root);
  EXPECT_NEAR(square.square().mean().item<double>(), 3, 5 * std::sqrt(96.0) / root);
  const Tensor sorted = std::get<0>(z.sort());
  const Tensor law = 0.5 * at::erfc(sorted * -std::sqrt(0.5));
  const Tensor place = (at::arange(n, at::kDouble) + 0.5) / static_cast<double>(n);
  EXPECT_LT((law - place).abs().max().item<double>(), 2.63 / root);
}

TEST(PhiloxLaw, NeighboursAreUncorrelated) {
  const int64_t n = 200'000;
  const Tensor z = Rng(2).normal({n, 8}).to(at::kDouble),
               later = Rng(2).normal({n, 8}, {.step = 1}).to(at::kDouble);
  const double bound = 5.5 / std::sqrt(static_cast<double>(n));
  const auto off_diagonal = [&](const Tensor& a, const Tensor& b, bool same) {
    const Tensor product = a.t().matmul(b) / static_cast<double>(a.size(0));
    return (same ? product - product.diagonal().diag() : product).abs().max().item<double>();
  };
  EXPECT_LT(off_diagonal(z, z, true), bound);                                     // within a row
  EXPECT_LT(off_diagonal(z, later, false), bound);                                // across steps
  EXPECT_LT(off_diagonal(z.slice(0, 0, n - 1), z.slice(0, 1, n), false), bound);  // across samples
  EXPECT_LT(off_diagonal(z.square() - 1, z.square() - 1, true), 2 * bound);       // of the squares
  // Samples of one and two numbers share blocks.
  for (const int64_t columns : {1, 2}) {
    const Tensor flat = Rng(2).normal({n * 8 / columns, columns}).reshape({n, 8}).to(at::kDouble);
    EXPECT_LT(off_diagonal(flat, flat, true), bound);
    EXPECT_LT(off_diagonal(flat.square() - 1, flat.square() - 1, true), 2 * bound);
  }
  const Tensor other = Rng(2).stream("other").normal({n, 8}).to(at::kDouble);
  EXPECT_LT(off_diagonal(z, other, false), bound);  // across streams
}

}  // namespace
}  // namespace fokker
