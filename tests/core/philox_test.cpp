// The vector kernel of the random numbers, against its definition, long double and the normal law.
#include "fokker/core/philox.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <numbers>

#include "fokker/core/rng.h"

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

/// The normal numbers that exact arithmetic makes of the uniform ones.
template <typename T>
std::vector<long double> exact_normals(const std::vector<T>& u) {
  std::vector<long double> z(u.size());
  for (size_t i = 0; i < u.size(); i += 2) {
    const long double radius = std::sqrt(-2 * std::log(static_cast<long double>(u[i])));
    const long double angle = 2 * std::numbers::pi_v<long double> * u[i + 1];
    z[i] = radius * std::cos(angle);
    z[i + 1] = radius * std::sin(angle);
  }
  return z;
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

// 4 units in the last place of the radius: each of logarithm, root, sine and product adds at most about one.
TYPED_TEST(PhiloxKernel, NormalsAreBoxMullerOfTheUniforms) {
  const PhiloxRows rows{.key = {1, 2}, .columns = 1000};
  const auto exact = exact_normals(filled_rows<TypeParam>(rows, 300, fill_uniforms<TypeParam>));
  const auto fast = filled_rows<TypeParam>(rows, 300, fill_normals<TypeParam>);
  const auto plain = filled_rows<TypeParam>(rows, 300, fill_normals_plain<TypeParam>);
  const double unit = std::numeric_limits<TypeParam>::epsilon();
  double error = 0, gap = 0;
  for (size_t i = 0; i < fast.size(); i += 2) {
    const double radius = std::hypot(static_cast<double>(exact[i]), static_cast<double>(exact[i + 1]));
    for (const size_t j : {i, i + 1}) {
      error = std::max(error, std::abs(static_cast<double>(fast[j] - exact[j])) / radius);
      gap = std::max(gap, std::abs(static_cast<double>(fast[j]) - plain[j]) / radius);
    }
  }
  ::testing::Test::RecordProperty("error_in_units", std::to_string(error / unit));
  EXPECT_LT(error, 2 * unit);
  EXPECT_LT(gap, 6 * unit);  // the plain angle is rounded before its sine is taken
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
  const int64_t supported = hwy::SupportedTargets();
  for (int64_t targets = supported; targets; targets &= targets - 1) {
    const int64_t one = targets & -targets;
    hwy::SetSupportedTargetsForTest(one);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    EXPECT_EQ(filled_rows<TypeParam>(rows, 500, fill_normals<TypeParam>), best) << hwy::TargetName(one);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// Uniform numbers (k + 1/2) / 2^24 reach from 2^-25 to the number below 1, and so |z| from 3e-4 to 5.887.
TEST(PhiloxTails, TheLargestAndSmallestNumbersAreRight) {
  float largest = 0, lowest = 1, highest = 0;
  const PhiloxRows rows{.key = {8, 8}, .columns = 1 << 22};
  std::vector<float> numbers(rows.columns);
  for (uint32_t step = 0; step < 16; ++step) {
    PhiloxRows draw = rows;
    draw.step = step;
    fill_uniforms<float>(draw, 0, blocks_per_row<float>(draw), numbers.data());
    for (const float u : numbers) lowest = std::min(lowest, u), highest = std::max(highest, u);
    fill_normals<float>(draw, 0, blocks_per_row<float>(draw), numbers.data());
    for (const float z : numbers) largest = std::max(largest, std::abs(z));
  }
  EXPECT_EQ(lowest, 0x1p-25f);  // each end is missed with probability exp(-4), so seen once and fixed
  EXPECT_EQ(highest, 1 - 0x1p-24f);
  EXPECT_LE(largest, std::sqrt(50 * std::log(2.0)) * (1 + 1e-6));
  EXPECT_GT(largest, 5.2f);  // of 7 10^7 numbers, all are below with probability exp(-13)
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
  const Tensor other = Rng(2).stream("other").normal({n, 8}).to(at::kDouble);
  EXPECT_LT(off_diagonal(z, other, false), bound);  // across streams
}

}  // namespace
}  // namespace fokker
