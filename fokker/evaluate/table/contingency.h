#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace fokker {

/// Two codes of each row of a set.
struct CodePairs {
  std::span<const int32_t> first, second;  ///< (n) each, not negative
};

/// Compares contingency tables, one pair of sets after another, in memory that is kept: a table of all cells
/// where there are few of them, else one of those that occur.
class ContingencyComparison {
 public:
  /// Total variation distance of the laws of two sets' pairs of codes below `first_codes` and `second_codes`:
  /// half the sum of absolute differences of shares. Exact but for the last division.
  double distance(const CodePairs& x, const CodePairs& y, int64_t first_codes, int64_t second_codes);

 private:
  void add_dense(const CodePairs& set, int64_t second_codes, int64_t weight);
  void add_sparse(const CodePairs& set, int64_t second_codes, int64_t weight);

  std::vector<int64_t> sums_;   ///< of cells, or of the slots of a hash table
  std::vector<uint64_t> keys_;  ///< of slots: one more than the cell; 0 for an empty one
};

}  // namespace fokker
