#include "fokker/distributed/member.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "fokker/core/check.h"
#include "fokker/core/text/json.h"

namespace fokker::detail {
namespace {

using std::chrono::milliseconds;

/// How long after a failed exchange the rendezvous is given to say who was lost.
constexpr milliseconds verdict_patience{2000};

int reach(const RankPlace& place, milliseconds timeout) {
  const int socket = connect_to(place.address, place.port, timeout);
  if (socket < 0)
    fail(ErrorKind::peer_lost, "rank 0 was lost: it could not be reached at {}:{} within {:g} s",
         place.address, place.port, 0.001 * static_cast<double>(timeout.count()));
  return socket;
}

}  // namespace

Member::Member(const RankPlace& place, milliseconds timeout)
    : place_(place), timeout_(timeout), connection_(reach(place, timeout)) {
  const Json hello = {{"rank", place.rank}, {"size", place.size}, {"token", place.token}};
  send({Message::Type::hello, "", json_text(hello)});
  thread_ = std::thread([this] { listen(); });
  try {
    // The rendezvous says who is missing; that it says nothing is the last resort.
    get("all", timeout_ + verdict_patience);
  } catch (...) {
    closing_ = true;
    thread_.join();
    throw;
  }
}

Member::~Member() {
  closing_ = true;
  if (thread_.joinable()) thread_.join();
}

void Member::send(const Message& message) {
  const std::lock_guard lock(sending_);
  // What rank 0 said before it hung up, such as why, is still to be read: that the end is reached is seen by
  // `listen`.
  if (!connection_.send(message)) ::shutdown(connection_.socket(), SHUT_RDWR);
}

void Member::set(const std::string& key, const std::string& value) {
  send({Message::Type::set, key, value});
}

std::string Member::get(const std::string& key, std::optional<milliseconds> patience) {
  send({Message::Type::get, key, ""});
  std::unique_lock lock(mutex_);
  const auto arrived = [&] { return values_.contains(key) || lost_ || !refused_.empty(); };
  if (!patience)
    news_.wait(lock, arrived);
  else if (!news_.wait_for(lock, *patience, arrived))
    fail(ErrorKind::peer_lost, "rank 0 was lost: it did not answer within {:g} s",
         0.001 * static_cast<double>(patience->count()));
  const auto found = values_.find(key);
  if (found != values_.end()) return found->second;
  check(refused_.empty(), "rank {} was not let in: {}", place_.rank, refused_);
  fail_lost();
}

void Member::check_peers() const {
  const std::lock_guard lock(mutex_);
  if (lost_) fail_lost();
}

void Member::fail_lost() const {
  fail(ErrorKind::peer_lost, "rank {} was lost: {}", *lost_, lost_reason_);
}

void Member::wait_for_verdict() {
  std::unique_lock lock(mutex_);
  if (news_.wait_for(lock, std::min(verdict_patience, timeout_), [&] { return lost_.has_value(); }))
    fail_lost();
}

void Member::fail_exchange(const std::string& reason, bool in_time) {
  // A connection between two has closed: the rendezvous is about to see who has ended.
  if (in_time) wait_for_verdict();
  send({Message::Type::stuck, "", fmt::format("{}", exchanges_.load())});
  wait_for_verdict();
  fail(ErrorKind::peer_lost, "a rank was lost: an exchange between {} did not end ({})", place_.size, reason);
}

void Member::leave() {
  {
    const std::lock_guard lock(mutex_);
    left_ = true;
  }
  send({.type = Message::Type::bye});
}

void Member::lose(int64_t rank, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (lost_ || left_) return;
  lost_ = rank;
  lost_reason_ = reason;
  news_.notify_all();
}

void Member::take(const Message& message) {
  const std::lock_guard lock(mutex_);
  if (message.type == Message::Type::value) values_[message.key] = message.value;
  if (message.type == Message::Type::refused) refused_ = message.value;
  if (message.type == Message::Type::lost && !lost_ && !left_) {
    const Json said = Json::parse(message.value, nullptr, /*allow_exceptions=*/false);
    lost_ = said.is_object() ? said.value("rank", int64_t{0}) : 0;
    lost_reason_ = said.is_object() ? said.value("reason", std::string()) : "";
  }
  news_.notify_all();
}

void Member::listen() {
  const milliseconds between = std::clamp(timeout_ / 8, milliseconds(50), milliseconds(2000));
  auto heard = Clock::now(), said = heard - between;
  while (!closing_) {
    const auto now = Clock::now();
    if (now - said >= between) {
      send({Message::Type::beat, "", fmt::format("{}", exchanges_.load())});
      said = now;
    }
    pollfd ready{connection_.socket(), POLLIN, 0};
    ::poll(&ready, 1, 20);
    const bool open = connection_.receive();
    while (const auto message = connection_.next()) {
      heard = Clock::now();
      take(*message);
    }
    if (!open) return lose(0, "it has ended, or its connection is cut");
    if (Clock::now() - heard > timeout_ * 3 / 4)
      return lose(0,
                  fmt::format("no sign of life for {:g} s", 0.00075 * static_cast<double>(timeout_.count())));
  }
}

}  // namespace fokker::detail
