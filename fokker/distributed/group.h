#pragma once
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "fokker/core/check.h"
#include "fokker/distributed/member.h"
#include "fokker/distributed/ranks.h"
#include "fokker/distributed/rendezvous.h"

namespace fokker {

/// A process group and what it stands on.
class Ranks::Group {
 public:
  Group(const RankPlace& place, std::chrono::milliseconds timeout);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const RankPlace& place() const { return place_; }
  detail::Member& member() { return *member_; }
  c10d::ProcessGroupGloo& gloo() { return *gloo_; }

  /// Begins an exchange and waits for its end, or for the news that a rank is lost.
  template <typename Begin>
  void exchange(Begin begin) {
    member_->enter_exchange();
    joined([&] { await(*begin(*gloo_)); });
  }
  /// What the other of two ranks has in a tensor of that shape; valid until the next call.
  Tensor swapped(const Tensor& own);
  int64_t next_turn() { return ++turns_; }

  /// Until work that was begun is done. To be called under `joined`.
  void await(c10d::Work& work);
  /// Whatever the work throws, somebody was lost.
  template <typename Work>
  void joined(Work work) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      work();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      const std::string text = error.what();
      const bool in_time = std::chrono::steady_clock::now() - begin < member_->timeout() * 9 / 10;
      member_->fail_exchange(text.substr(0, text.find('\n')), in_time);
    }
  }

 private:
  void wait_until_all_are_connected();

  RankPlace place_;
  std::unique_ptr<detail::Rendezvous> rendezvous_;
  std::unique_ptr<detail::Member> member_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
  int64_t turns_ = 0;
  Tensor received_;
};

}  // namespace fokker
