// The counters and the rounds of Philox (Salmon et al. 2011) on vectors of blocks. Included once per target.
#if defined(FOKKER_CORE_PHILOX_ROUNDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FOKKER_CORE_PHILOX_ROUNDS_INL_H_
#undef FOKKER_CORE_PHILOX_ROUNDS_INL_H_
#else
#define FOKKER_CORE_PHILOX_ROUNDS_INL_H_
#endif

#include <hwy/highway.h>

#include "fokker/core/random/philox.h"

HWY_BEFORE_NAMESPACE();
namespace fokker {
namespace HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::ScalableTag<uint32_t>;
using Pairs = hn::RepartitionToWide<Words>;
using WordVector = hn::Vec<Words>;
using PairVector = hn::Vec<Pairs>;

/// Counters or random bits of a vector of blocks. The 32 bits of even blocks and those of odd ones lie in the
/// low halves of 64 (what is above does not matter), where products find them.
struct Bits {
  PairVector even[4], odd[4];
};

HWY_INLINE void philox_round(PairVector (&c)[4], PairVector key0, PairVector key1) {
  const Words words;
  const auto product = [&](PairVector a, uint32_t factor) {
    return hn::MulEven(hn::BitCast(words, a), hn::Set(words, factor));
  };
  const PairVector first = product(c[0], 0xD2511F53u), second = product(c[2], 0xCD9E8D57u);
  c[0] = hn::Xor(hn::ShiftRight<32>(second), hn::Xor(c[1], key0));
  c[1] = second;
  c[2] = hn::Xor(hn::ShiftRight<32>(first), hn::Xor(c[3], key1));
  c[3] = first;
}

/// The keys of the ten rounds, in every lane.
struct KeySchedule {
  explicit KeySchedule(std::array<uint32_t, 2> key) {
    const Pairs pairs;
    for (auto& round : words) {
      hn::Store(hn::Set(pairs, key[0]), pairs, round[0]);
      hn::Store(hn::Set(pairs, key[1]), pairs, round[1]);
      key[0] += 0x9E3779B9u;
      key[1] += 0xBB67AE85u;
    }
  }
  alignas(64) uint64_t words[10][2][hn::MaxLanes(Pairs())];
};

HWY_INLINE void philox(Bits& bits, const KeySchedule& keys) {
  const Pairs pairs;
  for (const auto& round : keys.words) {
    const PairVector key0 = hn::Load(pairs, round[0]), key1 = hn::Load(pairs, round[1]);
    philox_round(bits.even, key0, key1);
    philox_round(bits.odd, key0, key1);
  }
}

/// Where a vector of blocks begins.
struct Place {
  int64_t row, block;
};

HWY_INLINE Bits counters_of(const PhiloxRows& rows, int64_t blocks, Place place) {
  const Words words;
  const auto lanes = static_cast<int64_t>(hn::Lanes(words));
  const uint64_t sample = rows.first_sample + static_cast<uint64_t>(place.row);
  WordVector block = hn::Set(words, static_cast<uint32_t>(place.block));
  WordVector low = hn::Set(words, static_cast<uint32_t>(sample));
  WordVector high = hn::Set(words, static_cast<uint32_t>(sample >> 32));
  if (place.block + lanes <= blocks) {
    block = hn::Add(block, hn::Iota(words, 0));
  } else if (blocks == 1 && (sample & 0xffffffffu) + static_cast<uint64_t>(lanes) <= 0xffffffffu) {
    low = hn::Add(low, hn::Iota(words, 0));
  } else {
    HWY_ALIGN uint32_t table[3][hn::MaxLanes(Words())];
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const uint64_t at = rows.first_sample + static_cast<uint64_t>(place.row);
      table[0][lane] = static_cast<uint32_t>(place.block);
      table[1][lane] = static_cast<uint32_t>(at);
      table[2][lane] = static_cast<uint32_t>(at >> 32);
      if (++place.block == blocks) place = {place.row + 1, 0};
    }
    block = hn::Load(words, table[0]);
    low = hn::Load(words, table[1]);
    high = hn::Load(words, table[2]);
  }
  const WordVector all[4] = {block, hn::Set(words, rows.step), low, high};
  Bits bits;
  for (int i = 0; i < 4; ++i) {
    bits.even[i] = hn::BitCast(Pairs(), all[i]);
    bits.odd[i] = hn::ShiftRight<32>(bits.even[i]);
  }
  return bits;
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace fokker
HWY_AFTER_NAMESPACE();

#endif
