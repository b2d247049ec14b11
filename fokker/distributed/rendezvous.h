#pragma once
#include <atomic>
#include <list>
#include <map>
#include <set>
#include <thread>

#include "fokker/distributed/connection.h"
#include "fokker/distributed/place.h"

namespace fokker::detail {

/// Where the members of a run meet, in a thread of rank 0: it keeps small values by key, and it says to all
/// which member was lost, by whose silence or closed connection it knows. Listens at the address of the place
/// alone. Lets in who knows the token, the number of ranks and a rank that nobody has.
class Rendezvous {
 public:
  /// A member is lost that has not arrived within `timeout`, or gave no sign of life for three quarters of
  /// it.
  Rendezvous(const RankPlace& place, std::chrono::milliseconds timeout);
  /// Waits, up to the timeout, for the members that have not said goodbye.
  ~Rendezvous();
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  int64_t port() const { return port_of(listening_); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Guest {
    Connection connection;
    Clock::time_point seen = {};
    int64_t rank = -1;  ///< before its hello
    uint64_t exchanges = 0;
    bool gone = false;
    std::set<std::string> wanted = {};
  };

  void serve();
  bool wait_for_news();
  void let_in();
  void listen_to(Guest& guest);
  void answer(Guest& guest, const Message& message);
  void welcome(Guest& guest, const Message& hello);
  void keep(const std::string& key, const std::string& value);
  void look_for_the_lost();
  void judge_stuck();
  void lose(int64_t rank, const std::string& reason);
  bool all_left() const;

  RankPlace place_;
  std::chrono::milliseconds timeout_;
  int listening_;
  Clock::time_point begin_;
  std::list<Guest> guests_;
  std::map<std::string, std::string> values_;
  std::set<int64_t> arrived_, left_;
  std::string lost_;  ///< as it is told
  Clock::time_point lost_at_ = {};
  std::atomic<bool> closing_ = false;
  std::thread thread_;
};

}  // namespace fokker::detail
