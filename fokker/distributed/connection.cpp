#include "fokker/distributed/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "fokker/core/check.h"

namespace fokker::detail {
namespace {

using Clock = std::chrono::steady_clock;

// A header is the type and the sizes of key and value; nothing larger is ever sent.
constexpr size_t header_size = 9, most_key = 1024, most_value = 65536;
constexpr timeval send_patience{.tv_sec = 1, .tv_usec = 0};

void put_size(std::string& out, size_t size) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((size >> shift) & 0xff);
}

size_t get_size(const std::string& in, size_t at) {
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) size |= size_t{static_cast<unsigned char>(in[at + i])} << (8 * i);
  return size;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// What a name or number stands for; null where nothing does, for now.
Addresses addresses_of(const std::string& address, int64_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), fmt::format("{}", port).c_str(), &hints, &found) != 0) found = nullptr;
  return {found, &::freeaddrinfo};
}

int open_socket(const addrinfo& at) {
  return ::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC, at.ai_protocol);
}

int try_to_connect(const addrinfo* all) {
  for (const addrinfo* at = all; at; at = at->ai_next) {
    const int socket = open_socket(*at);
    if (socket < 0) continue;
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &send_patience, sizeof send_patience);  // of connect too
    if (::connect(socket, at->ai_addr, at->ai_addrlen) == 0) return socket;
    ::close(socket);
  }
  return -1;
}

}  // namespace

Connection::Connection(int socket) : socket_(socket) {
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &send_patience, sizeof send_patience);
}
Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}
Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      sound_(other.sound_),
      received_(std::move(other.received_)) {}

bool Connection::send(const Message& message) {
  check(message.key.size() <= most_key && message.value.size() <= most_value,
        "rendezvous: a message of {} + {} bytes is too large", message.key.size(), message.value.size());
  std::string bytes(1, static_cast<char>(message.type));
  put_size(bytes, message.key.size());
  put_size(bytes, message.value.size());
  bytes += message.key + message.value;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<size_t>(count);
  }
  return true;
}

bool Connection::receive() {
  std::array<char, 4096> bytes{};
  while (sound_) {
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (count <= 0) return false;
    received_.append(bytes.data(), static_cast<size_t>(count));
    if (received_.size() > 4 * (header_size + most_key + most_value)) return true;  // later, once read
  }
  return false;
}

std::optional<Message> Connection::next() {
  if (!sound_ || received_.size() < header_size) return {};
  const size_t key = get_size(received_, 1), value = get_size(received_, 5);
  sound_ = static_cast<uint8_t>(received_[0]) <= static_cast<uint8_t>(Message::Type::bye) &&
           key <= most_key && value <= most_value;
  if (!sound_ || received_.size() < header_size + key + value) return {};
  Message message{.type = static_cast<Message::Type>(received_[0]),
                  .key = received_.substr(header_size, key),
                  .value = received_.substr(header_size + key, value)};
  received_.erase(0, header_size + key + value);
  return message;
}

int listen_at(const std::string& address, int64_t port) {
  const Addresses at = addresses_of(address, port);
  check(at != nullptr, "MASTER_ADDR: no machine is known as '{}'", address);
  const int socket = open_socket(*at);
  const int on = 1;
  if (socket >= 0) ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (socket >= 0 && ::bind(socket, at->ai_addr, at->ai_addrlen) == 0 && ::listen(socket, 1024) == 0)
    return socket;
  const int code = errno;
  if (socket >= 0) ::close(socket);
  check(code != EADDRNOTAVAIL,
        "MASTER_ADDR: expected an address of the machine of rank 0, which listens there, but received '{}'",
        address);
  fail(ErrorKind::resource, "MASTER_PORT: rank 0 cannot listen at {}:{}: {}", address, port,
       std::strerror(code));
}

std::string address_of(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXHOST> host{};
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size);
  ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, host.data(), host.size(), nullptr, 0,
                NI_NUMERICHOST);
  return host.data();
}

int64_t port_of(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  std::array<char, NI_MAXSERV> port{};
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size);
  ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, nullptr, 0, port.data(), port.size(),
                NI_NUMERICSERV);
  return std::stoll(port.data());
}

int connect_to(const std::string& address, int64_t port, std::chrono::milliseconds timeout) {
  for (const auto begin = Clock::now(); Clock::now() - begin < timeout;) {
    const Addresses at = addresses_of(address, port);
    const int socket = try_to_connect(at.get());
    if (socket >= 0) return socket;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return -1;
}

}  // namespace fokker::detail
