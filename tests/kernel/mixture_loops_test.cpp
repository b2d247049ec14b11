// The loops that the mixtures' kernels are made of, against the standard library.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "fokker/core/random/rng.h"
#include "fokker/kernel/mixture/mixture_leaves.h"
#include "fokker/kernel/mixture/mixture_softmax_rows.h"
#include "instruction_sets.h"

namespace fokker::kernel {
namespace {

// 2 units in the last place, on every instruction set.
TEST(MixtureLoops, PowersOfTwo) {
  std::vector<float> y32, p32(8000);
  std::vector<double> y64, p64(8000);
  for (int i = 0; i < 8000; ++i) {
    y32.push_back(static_cast<float>(-119.9 + 0.03 * i));
    y64.push_back(-999.9 + 0.237 * i);
  }
  on_each_instruction_set([&] {
    powers_of_two(y32.data(), 8000, p32.data());
    powers_of_two(y64.data(), 8000, p64.data());
    double error32 = 0, error64 = 0;
    for (int i = 0; i < 8000; ++i) {
      const auto ratio = [](auto power, auto y) {
        return std::abs(static_cast<double>(power / std::exp2(static_cast<long double>(y)) - 1));
      };
      error32 = std::max(error32, ratio(p32[i], y32[i]));
      error64 = std::max(error64, ratio(p64[i], y64[i]));
    }
    EXPECT_LT(error32, 2 * 0x1p-23);
    EXPECT_LT(error64, 2 * 0x1p-52);
  });
  const std::array<float, 2> low = {-1e30f, -HUGE_VALF};
  powers_of_two(low.data(), 2, p32.data());
  EXPECT_LT(p32[0] + p32[1], 1e-35f);
}

TEST(MixtureLoops, ScansOfARowAreThoseOfTheStandardLibrary) {
  const Tensor drawn = Rng(6).normal({200});
  std::vector<float> row(drawn.data_ptr<float>(), drawn.data_ptr<float>() + 200);
  row[150] = row[20];
  row[7] = -HUGE_VALF;
  on_each_instruction_set([&] {
    for (int64_t count = 1; count <= 200; count += 1 + count / 9) {
      const auto end = row.begin() + count;
      EXPECT_EQ(place_of_largest(row.data(), count), std::max_element(row.begin(), end) - row.begin());
      EXPECT_EQ(count_above(row.data(), 0.3f, count),
                std::count_if(row.begin(), end, [](float v) { return v > 0.3f; }));
      std::vector<float> weights(row.begin(), end);
      const float shift = *std::max_element(row.begin(), end);
      double sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(row[i]) - shift);
      EXPECT_NEAR(exponentials_in_place(weights.data(), shift, count), sum, 1e-6 * sum) << count;
      for (int64_t i = 0; i < count; ++i) EXPECT_NEAR(weights[i], std::exp(row[i] - shift), 1e-6) << i;
    }
  });
  const std::vector<float> nothing(9, -HUGE_VALF);
  EXPECT_EQ(place_of_largest(nothing.data(), 9), 0);
}

}  // namespace
}  // namespace fokker::kernel
