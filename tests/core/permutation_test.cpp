#include "fokker/core/random/permutation.h"

#include <gtest/gtest.h>

#include "support.h"

namespace fokker {
namespace {

/// The images of all places, sorted, are 0..count-1.
void expect_bijection(const KeyedPermutation& permutation) {
  const int64_t n = permutation.count();
  std::vector<bool> seen(static_cast<size_t>(n), false);
  for (int64_t place = 0; place < n; ++place) {
    const int64_t row = permutation.at(place);
    ASSERT_GE(row, 0);
    ASSERT_LT(row, n);
    ASSERT_FALSE(seen[static_cast<size_t>(row)]) << row << " twice, of " << n;
    seen[static_cast<size_t>(row)] = true;
  }
}

TEST(KeyedPermutation, IsABijectionForEverySize) {
  for (int64_t n = 1; n <= 300; ++n) expect_bijection(KeyedPermutation(Rng(5), n));
  // Below, at and above powers of two, where the domain just fits or is half empty.
  for (const int64_t power : {int64_t{1} << 10, int64_t{1} << 15})
    for (const int64_t n : {power - 1, power, power + 1}) expect_bijection(KeyedPermutation(Rng(6), n));
  expect_bijection(KeyedPermutation(Rng(7), 100'003));
}

TEST(KeyedPermutation, StaysWithinSizesThatNoListHolds) {
  for (const int64_t n : {int64_t{1} << 40, (int64_t{1} << 40) + 1, INT64_MAX}) {
    const KeyedPermutation permutation(Rng(1), n);
    std::vector<int64_t> rows;
    for (int64_t place = 0; place < 1000; ++place) rows.push_back(permutation.at(n - 1 - place));
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(std::unique(rows.begin(), rows.end()), rows.end());
    EXPECT_GE(rows.front(), 0);
    EXPECT_LT(rows.back(), n);
  }
}

/// Of two random permutations the expected number of places with the same row is 1, and its variance 1.
TEST(KeyedPermutation, DiffersBySeedAndEpoch) {
  const int64_t n = 10'000;
  const auto same = [&](const Rng& a, const Rng& b) {
    const KeyedPermutation first(a, n), second(b, n);
    int64_t count = 0;
    for (int64_t i = 0; i < n; ++i) count += first.at(i) == second.at(i);
    return count;
  };
  EXPECT_LE(same(Rng(1), Rng(2)), 8);
  EXPECT_LE(same(Rng(1).stream(uint64_t{0}), Rng(1).stream(uint64_t{1})), 8);
  EXPECT_EQ(same(Rng(1), Rng(1)), n);
}

/// Rows at neighbouring places are as far apart as independent ones: |i - j| of two uniform rows has mean n /
/// 3 and variance n^2 / 18; four standard errors.
TEST(KeyedPermutation, NeighboursAreIndependent) {
  const int64_t n = 1'000'003, count = 20'000;
  const KeyedPermutation permutation(Rng(3), n);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += std::abs(static_cast<double>(permutation.at(2 * i) - permutation.at(2 * i + 1)));
  const auto size = static_cast<double>(n);
  EXPECT_NEAR(sum / static_cast<double>(count), size / 3,
              4 * size / std::sqrt(18.0 * static_cast<double>(count)));
}

TEST(RowOrder, IsTheListOfEveryVersionWhereItIsShortAndKeyedWhereItIsLong) {
  const Rng rng = Rng(4).stream("order");
  EXPECT_TRUE(RowOrder(rng, 1000).rows(10, 50).equal(rng.permutation(1000).narrow(0, 10, 50)));
  const int64_t many = RowOrder::most_listed + 1;
  const KeyedPermutation keyed(rng, many);
  const Tensor rows = RowOrder(rng, many).rows(many - 3, 3);
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(rows[i].item<int64_t>(), keyed.at(many - 3 + i));
  EXPECT_EQ(refusal_of([&] { RowOrder(rng, 10).rows(8, 3); }),
            "RowOrder: expected places in 0..9 but received 3 from 8");
}

}  // namespace
}  // namespace fokker
