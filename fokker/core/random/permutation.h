#pragma once
#include <array>
#include <cstdint>

#include "fokker/core/random/rng.h"

namespace fokker {

/// A permutation of 0..count-1 that a key chooses and that takes no memory: an alternating Feistel network
/// over the bits of count - 1, whose round functions are Philox, walked along its cycle until it comes back
/// below `count` (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002): twice at most on
/// average. Depends on the generator and the count alone.
class KeyedPermutation {
 public:
  /// Argument error unless count > 0.
  KeyedPermutation(const Rng& rng, int64_t count);
  /// What is at `place`, of 0..count-1.
  int64_t at(int64_t place) const;
  int64_t count() const { return count_; }

 private:
  uint64_t mixed(uint64_t value) const;
  int64_t count_;
  int low_bits_, high_bits_;
  std::array<uint32_t, 2> key_;
};

/// The random order in which a run goes through rows: Rng::permutation up to `most_listed` rows, whose order
/// is that of every version, and a KeyedPermutation of more, for which a list would take gigabytes.
class RowOrder {
 public:
  static constexpr int64_t most_listed = int64_t{1} << 20;
  RowOrder(const Rng& rng, int64_t count);
  int64_t count() const { return keyed_.count(); }
  /// The rows at places first, ..., first + number - 1: (number) int64. Argument error beyond the end.
  Tensor rows(int64_t first, int64_t number) const;

 private:
  KeyedPermutation keyed_;
  Tensor listed_;  ///< undefined where it is keyed
};

}  // namespace fokker
