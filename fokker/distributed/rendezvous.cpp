#include "fokker/distributed/rendezvous.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "fokker/core/text/json.h"

namespace fokker::detail {
namespace {

constexpr int milliseconds_between_looks = 20;
constexpr size_t most_strangers = 64;
constexpr std::chrono::milliseconds last_words{500};

}  // namespace

Rendezvous::Rendezvous(const RankPlace& place, std::chrono::milliseconds timeout)
    : place_(place),
      timeout_(timeout),
      listening_(place.listening >= 0 ? static_cast<int>(place.listening)
                                      : listen_at(place.address, place.port)),
      begin_(Clock::now()),
      thread_([this] { serve(); }) {}

Rendezvous::~Rendezvous() {
  closing_ = true;
  thread_.join();
  ::close(listening_);
}

void Rendezvous::serve() {
  Clock::time_point end = Clock::time_point::max();
  while (true) {
    if (wait_for_news()) let_in();
    for (Guest& guest : guests_) listen_to(guest);
    look_for_the_lost();
    std::erase_if(guests_, [](const Guest& guest) { return guest.gone; });
    if (closing_ && end == Clock::time_point::max()) end = Clock::now() + timeout_;
    // Those who are told of a loss hang up. Who hangs up first may take his last words back.
    if (closing_ && !lost_.empty()) end = std::min(end, lost_at_ + last_words);
    if (closing_ && !lost_.empty() && guests_.empty()) return;
    if (closing_ && (all_left() || Clock::now() >= end)) return;
  }
}

/// True where somebody knocks.
bool Rendezvous::wait_for_news() {
  std::vector<pollfd> sockets{{listening_, POLLIN, 0}};
  for (const Guest& guest : guests_) sockets.push_back({guest.connection.socket(), POLLIN, 0});
  ::poll(sockets.data(), sockets.size(), milliseconds_between_looks);
  return (sockets[0].revents & POLLIN) != 0;
}

void Rendezvous::let_in() {
  const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket < 0) return;
  Connection connection(socket);
  const auto strangers =
      std::count_if(guests_.begin(), guests_.end(), [](const Guest& g) { return g.rank < 0; });
  if (static_cast<size_t>(strangers) >= most_strangers) return;
  guests_.push_back({.connection = std::move(connection), .seen = Clock::now()});
}

void Rendezvous::listen_to(Guest& guest) {
  const bool open = guest.connection.receive();
  while (!guest.gone) {
    const auto message = guest.connection.next();
    if (!message) break;
    guest.seen = Clock::now();
    answer(guest, *message);
  }
  if (open || guest.gone) return;
  guest.gone = true;
  if (guest.rank >= 0) lose(guest.rank, "it has ended, or its connection is cut");
}

void Rendezvous::answer(Guest& guest, const Message& message) {
  using enum Message::Type;
  if (guest.rank < 0) return welcome(guest, message);
  switch (message.type) {
    case set:
      return keep(message.key, message.value);
    case get: {
      const auto found = values_.find(message.key);
      if (found == values_.end())
        guest.wanted.insert(message.key);
      else
        guest.connection.send({value, found->first, found->second});
      return;
    }
    case beat:
      guest.exchanges = std::strtoull(message.value.c_str(), nullptr, 10);
      guest.connection.send({.type = beat});
      return;
    case stuck:
      guest.exchanges = std::strtoull(message.value.c_str(), nullptr, 10);
      return judge_stuck();
    case bye:
      left_.insert(guest.rank);
      guest.gone = true;
      return;
    default:
      guest.gone = true;
  }
}

/// Lets a member in, or says why not.
void Rendezvous::welcome(Guest& guest, const Message& hello) {
  const Json said = Json::parse(hello.value, nullptr, /*allow_exceptions=*/false);
  const auto number = [&](const char* key) {
    return said.is_object() && said.contains(key) && said[key].is_number_integer() ? said[key].get<int64_t>()
                                                                                   : -1;
  };
  const int64_t rank = number("rank");
  std::string reason;
  if (hello.type != Message::Type::hello || rank < 0 || rank >= place_.size)
    reason = "it is no rank of this run";
  else if (said.value("token", Json()) != place_.token)
    reason = "FOKKER_TOKEN: it is not that of rank 0";
  else if (number("size") != place_.size)
    reason = fmt::format("WORLD_SIZE: rank 0 has {} but it has {}", place_.size, number("size"));
  else if (!arrived_.insert(rank).second)
    reason = fmt::format("RANK: another process is rank {} already", rank);
  if (!reason.empty()) {
    guest.connection.send({Message::Type::refused, "", reason});
    guest.gone = true;
    return;
  }
  guest.rank = rank;
  if (!lost_.empty()) guest.connection.send({Message::Type::lost, "", lost_});
  if (std::ssize(arrived_) == place_.size) keep("all", "arrived");
}

void Rendezvous::keep(const std::string& key, const std::string& value) {
  values_[key] = value;
  for (Guest& guest : guests_)
    if (guest.wanted.erase(key) > 0) guest.connection.send({Message::Type::value, key, value});
}

void Rendezvous::look_for_the_lost() {
  const auto now = Clock::now();
  for (Guest& guest : guests_) {
    if (guest.gone || now - guest.seen < timeout_ * 3 / 4) continue;
    guest.gone = true;
    if (guest.rank >= 0)
      lose(guest.rank,
           fmt::format("no sign of life for {:g} s", 0.00075 * static_cast<double>(timeout_.count())));
  }
  if (std::ssize(arrived_) == place_.size || now - begin_ < timeout_) return;
  int64_t first = 0;
  while (arrived_.contains(first)) ++first;
  lose(first, fmt::format("it did not arrive within {:g} s ({} of {} did)",
                          0.001 * static_cast<double>(timeout_.count()), arrived_.size(), place_.size));
}

/// Who has not entered the exchange that others wait in.
void Rendezvous::judge_stuck() {
  const Guest* last = nullptr;
  uint64_t most = 0;
  for (const Guest& guest : guests_) {
    if (guest.gone || guest.rank < 0) continue;
    most = std::max(most, guest.exchanges);
    if (!last || guest.exchanges < last->exchanges) last = &guest;
  }
  if (last && last->exchanges < most)
    lose(last->rank, fmt::format("it took no part in an exchange for {:g} s",
                                 0.001 * static_cast<double>(timeout_.count())));
}

/// The first is the reason of all others.
void Rendezvous::lose(int64_t rank, const std::string& reason) {
  if (!lost_.empty()) return;
  lost_ = json_text({{"rank", rank}, {"reason", reason}});
  lost_at_ = Clock::now();
  for (Guest& guest : guests_)
    if (!guest.gone && guest.rank >= 0) guest.connection.send({Message::Type::lost, "", lost_});
}

bool Rendezvous::all_left() const {
  return left_.size() == arrived_.size();
}

}  // namespace fokker::detail
