#include "fokker/core/random/permutation.h"

#include <bit>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/random/philox.h"

namespace fokker {
namespace {

constexpr uint32_t feistel_rounds = 8;

uint64_t mask_of(int bits) {
  return (uint64_t{1} << bits) - 1;
}

}  // namespace

KeyedPermutation::KeyedPermutation(const Rng& rng, int64_t count) : count_(count) {
  check(count > 0, "KeyedPermutation: expected count > 0 but received {}", count);
  const int bits = std::max(2, static_cast<int>(std::bit_width(static_cast<uint64_t>(count - 1))));
  low_bits_ = bits / 2;
  high_bits_ = bits - low_bits_;
  const Tensor words = rng.integers(2, int64_t{1} << 32);
  key_ = {static_cast<uint32_t>(words[0].item<int64_t>()), static_cast<uint32_t>(words[1].item<int64_t>())};
}

/// Each round adds a function of one half to the other, which the same round undoes: a bijection.
uint64_t KeyedPermutation::mixed(uint64_t value) const {
  uint64_t low = value & mask_of(low_bits_), high = value >> low_bits_;
  for (uint32_t round = 0; round < feistel_rounds; ++round) {
    uint64_t& changed = round % 2 ? high : low;
    const uint64_t other = round % 2 ? low : high;
    const auto words = philox4x32(
        {static_cast<uint32_t>(other), static_cast<uint32_t>(other >> 32), round, 0x726F7773u}, key_);
    const uint64_t random = static_cast<uint64_t>(words[1]) << 32 | words[0];
    changed ^= random & mask_of(round % 2 ? high_bits_ : low_bits_);
  }
  return high << low_bits_ | low;
}

int64_t KeyedPermutation::at(int64_t place) const {
  check(place >= 0 && place < count_, "KeyedPermutation: expected a place in 0..{} but received {}",
        count_ - 1, place);
  auto value = static_cast<uint64_t>(place);
  do value = mixed(value);
  while (value >= static_cast<uint64_t>(count_));
  return static_cast<int64_t>(value);
}

RowOrder::RowOrder(const Rng& rng, int64_t count) : keyed_(rng, count) {
  if (count <= most_listed) listed_ = rng.permutation(count);
}

Tensor RowOrder::rows(int64_t first, int64_t number) const try {
  check(first >= 0 && number >= 0 && first <= count() - number,
        "RowOrder: expected places in 0..{} but received {} from {}", count() - 1, number, first);
  if (listed_.defined()) return listed_.narrow(0, first, number);
  Tensor rows = at::empty({number}, at::kLong);
  auto* row = rows.data_ptr<int64_t>();
  for (int64_t i = 0; i < number; ++i) row[i] = keyed_.at(first + i);
  return rows;
} catch (...) {
  detail::throw_as_error();
}

}  // namespace fokker
