#pragma once
#include <cstdint>
#include <vector>

#include "fokker/table/schema.h"

namespace fokker {

/// The distinct values of a column of numbers in rising order, and how often each is there.
struct ValueCounts {
  std::vector<double> values;
  std::vector<int64_t> counts;

  /// Of finite values in any order.
  static ValueCounts of(std::vector<double> values);
  int64_t total() const;
};

/// Values that at least one row in fifty has, and five times as many as the values around them: the median of
/// the five distinct ones on either side, or the rarer of the two beside it if that is more. At most twenty,
/// the most frequent.
std::vector<Spike> find_spikes(const ValueCounts& column);

/// For each value whether at least `least` rows have it, and three times as many as the values around it, as
/// find_spikes counts them: a price of 9.99 among others.
std::vector<bool> find_heaps(const ValueCounts& column, int64_t least);

/// The column without these values.
ValueCounts without(const ValueCounts& column, const std::vector<Spike>& spikes);

/// Whether the distance from the median to the quantile at 0.999 (or 0.001) is more than 12 times that to the
/// quartile on the same side, where a normal has 4.6 and an exponential 9.0, and 1.9 times that to the
/// quantile at 0.99 (0.01), where they have 1.3 and 1.6. False of fewer than 100 rows.
bool has_heavy_tails(const ValueCounts& column);

/// Whether the density has a step at the least or the greatest value, or rises towards it: the share of rows
/// within a distance d of it grows like d^k with k of about 1 or less, where in a tail k seems to be 3 and
/// more. False of fewer than 500 rows.
bool has_hard_bound(const ValueCounts& column);

}  // namespace fokker
