#pragma once
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "fokker/distributed/connection.h"
#include "fokker/distributed/place.h"

namespace fokker::detail {

/// A rank's side of the rendezvous: values by key, and signs of life from a thread of its own, so that long
/// work keeps nobody waiting in doubt.
class Member {
 public:
  /// Enters, and waits until all are there. ErrorKind::peer_lost, naming the rank, where one does not come
  /// within the timeout; argument error where this one is not let in.
  Member(const RankPlace& place, std::chrono::milliseconds timeout);
  /// Without a goodbye: the others learn that this rank was lost.
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  void set(const std::string& key, const std::string& value);
  /// Waits until somebody sets it, however long, as long as all live; up to `patience` where that is given.
  std::string get(const std::string& key, std::optional<std::chrono::milliseconds> patience = {});
  /// Throws ErrorKind::peer_lost where a rank is known to be lost.
  void check_peers() const;
  /// Counts an exchange that is begun.
  void enter_exchange() { ++exchanges_; }
  /// An exchange failed, or did not end in time: finds out whose fault that is, and throws.
  [[noreturn]] void fail_exchange(const std::string& reason, bool in_time);
  /// Says goodbye, after which others may be lost.
  void leave();
  std::chrono::milliseconds timeout() const { return timeout_; }
  /// By which rank 0 is reached.
  std::string local_address() const { return address_of(connection_.socket()); }

 private:
  using Clock = std::chrono::steady_clock;
  void send(const Message& message);
  void listen();
  void take(const Message& message);
  void lose(int64_t rank, const std::string& reason);
  [[noreturn]] void fail_lost() const;
  void wait_for_verdict();

  RankPlace place_;
  std::chrono::milliseconds timeout_;
  Connection connection_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable news_;
  std::map<std::string, std::string> values_;
  std::string refused_, lost_reason_;
  std::optional<int64_t> lost_;
  bool left_ = false;
  std::mutex sending_;
  std::atomic<uint64_t> exchanges_ = 0;
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

}  // namespace fokker::detail
