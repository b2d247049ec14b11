#include "fokker/core/random/rng.h"

#include <gtest/gtest.h>

#include <vector>

namespace fokker {
namespace {

// Known-answer vectors of Random123 (tests/kat_vectors, philox4x32-10).
TEST(Philox, AgreesWithPublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Samples of fewer numbers than a block holds share one: a draw is still a piece of any larger one.
TEST(Rng, ADrawIsAPieceOfALargerOne) {
  const Rng rng(3);
  for (const auto type : {at::kFloat, at::kDouble})
    for (const int64_t columns : {1, 2, 3, 4, 5}) {
      const Tensor normal = rng.normal({40, columns}, {}, type),
                   uniform = rng.uniform({40, columns}, {}, type);
      for (const int64_t begin : {0, 1, 2, 3, 4, 7})
        for (const int64_t count : {1, 2, 3, 4, 5, 9, 30}) {
          const DrawPosition position{.first_sample = begin};
          const auto piece = [&](const Tensor& all) { return all.slice(0, begin, begin + count); };
          EXPECT_TRUE(rng.normal({count, columns}, position, type).equal(piece(normal)))
              << columns << " columns, " << count << " from " << begin;
          EXPECT_TRUE(rng.uniform({count, columns}, position, type).equal(piece(uniform)))
              << columns << " columns, " << count << " from " << begin;
        }
    }
}

// And every number is another: with 53 bits, two of 10^4 are equal with probability 10^-8.
TEST(Rng, SharedBlocksGiveEveryNumberOnce) {
  for (const int64_t columns : {1, 2}) {
    const Tensor numbers = Rng(4).uniform({10'000 / columns, columns}, {.first_sample = 1}, at::kDouble);
    EXPECT_EQ(std::get<0>(at::_unique(numbers.flatten())).size(0), 10'000);
  }
}

// Steps are counted in 64 bits; below 2^32 they are those of the counter itself.
TEST(Rng, StepsFarApartHaveNumbersOfTheirOwn) {
  const Rng rng(5);
  const auto numbers = [&](uint64_t step) {
    return rng.uniform({50, 4}, {.first_sample = 3, .step = step}, at::kDouble);
  };
  const std::vector<uint64_t> steps = {7, 7 + (uint64_t{1} << 20), 7 + (uint64_t{1} << 32),
                                       7 + (uint64_t{2} << 32), 7 + (uint64_t{1} << 52)};
  // Two of the 10^3 numbers of 53 bits are equal with probability 10^-10.
  Tensor all;
  for (const uint64_t step : steps) all = all.defined() ? at::cat({all, numbers(step)}) : numbers(step);
  EXPECT_EQ(std::get<0>(at::_unique(all.flatten())).size(0), all.numel());
}

}  // namespace
}  // namespace fokker
