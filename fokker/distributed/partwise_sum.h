#pragma once
#include <memory>

#include "fokker/distributed/ranks.h"

namespace fokker {

/// A sum over ranks that goes on in the background, part by part, while the rest of what is added up is still
/// computed. All ranks begin the same parts in the same order. Errors as those of Ranks.
class PartwiseSum {
 public:
  /// Of a contiguous tensor of one dimension on the CPU, which lives until `finish`. Not of one rank alone.
  PartwiseSum(const Ranks& ranks, Tensor values);
  ~PartwiseSum();
  PartwiseSum(const PartwiseSum&) = delete;
  PartwiseSum& operator=(const PartwiseSum&) = delete;

  /// [first, first + count) is there and does not change until `finish`.
  void begin(int64_t first, int64_t count);
  /// Waits: what was begun is then the sums, with the same bits on all ranks.
  void finish();

 private:
  struct Part;
  Ranks ranks_;
  Tensor values_, received_;
  std::vector<Part> parts_;
};

}  // namespace fokker
