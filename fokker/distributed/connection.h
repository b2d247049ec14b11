#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace fokker::detail {

/// What the members of a run and its rendezvous say to each other.
struct Message {
  enum class Type : uint8_t {
    hello,    ///< of a member: value is {"rank", "size", "token"}
    refused,  ///< to it, with the reason
    set,      ///< key and value
    get,      ///< a value when there is one
    value,    ///< of a key
    beat,     ///< a sign of life, both ways; of a member the value is how many exchanges it has entered
    stuck,    ///< an exchange, with its number, did not end in time
    lost,     ///< to all: value is {"rank", "reason"}
    bye,      ///< the last word of a member that needs no other
  };
  Type type = Type::beat;
  std::string key = {}, value = {};
};

/// A stream of messages over a socket, which it owns.
class Connection {
 public:
  explicit Connection(int socket);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int socket() const { return socket_; }
  /// False where the other end is gone, or has read nothing for a second.
  bool send(const Message& message);
  /// Takes what has come, without waiting; false where no more will, or it is no message of ours.
  bool receive();
  /// The next whole message of what has come.
  std::optional<Message> next();

 private:
  int socket_;
  bool sound_ = true;
  std::string received_;
};

/// A socket that listens at that address, of this machine, and nowhere else. Argument error where the
/// address is not this machine's; resource error where the port is taken.
int listen_at(const std::string& address, int64_t port);
/// The port of a socket, and its numeric address.
int64_t port_of(int socket);
std::string address_of(int socket);
/// Tries until it is let in or the time is over: -1.
int connect_to(const std::string& address, int64_t port, std::chrono::milliseconds timeout);

}  // namespace fokker::detail
