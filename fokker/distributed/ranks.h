#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/core/text/json.h"
#include "fokker/distributed/place.h"

namespace fokker {

/// A part of numbered things: [first, first + count).
struct Share {
  int64_t first = 0, count = 0;
};

/// The processes of one run, of which this is one: by itself, unless it has joined others. A handle, cheap to
/// copy; the last copy leaves. What is done together is done by all ranks in the same order. Throws
/// ErrorKind::peer_lost, naming the rank, where one is lost: its process has ended, is stopped, cannot be
/// reached, or takes no part for as long as the timeout.
class Ranks {
 public:
  static constexpr std::chrono::milliseconds usual_timeout{60'000};

  /// One process by itself: nothing below costs anything.
  Ranks() = default;
  /// Meets the others, by Gloo (c10d), on the network interface that leads to rank 0. Argument error where
  /// this process is not let in: another has its rank, or it has another number of ranks or token.
  static Ranks join(const RankPlace& place, std::chrono::milliseconds timeout = usual_timeout);

  int64_t rank() const;
  int64_t size() const;
  bool alone() const { return group_ == nullptr; }
  bool root() const { return rank() == 0; }
  /// This rank's part of `count` things, in order; parts differ by one at most.
  Share share(int64_t count) const;
  /// The same in whole blocks, of which the last may be smaller: what is computed in blocks is then what one
  /// process computes.
  Share share_blocks(int64_t count, int64_t block) const;

  /// Adds up, in place, a tensor that has the same shape and type on every rank (CPU). The sum has the same
  /// bits on all.
  void sum(const Tensor& values) const;
  double sum(double value) const;
  /// Gives every rank what rank 0 has, in place.
  void broadcast(const Tensor& values) const;
  Json broadcast(const Json& value) const;
  /// What each rank has, on every rank.
  std::vector<Json> gather(const Json& value) const;
  /// Rows of all ranks in their order, on every rank: tensors that differ in their first size alone;
  /// undefined where a rank has none.
  Tensor gather_rows(const Tensor& rows) const;
  /// Rank 0 works; the others wait, however long, as long as it lives. An error of its is thrown on all.
  void on_root(const std::function<void()>& work) const;
  /// Each works by itself, and waits for the others, however long, as long as all live. Where some fail, all
  /// throw the error of the first of them, in the order of the ranks.
  void on_each(const std::function<void()>& work) const;

 private:
  class Group;
  friend class PartwiseSum;
  std::shared_ptr<Group> group_;
};

/// What processes talk by: "gloo", or "none" where this libtorch has it not.
const char* distributed_backend();

}  // namespace fokker
