#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace fokker {

/// What went wrong, in the terms a caller can act on. The values are the exit codes of the command.
enum class ErrorKind {
  failed = 1,     ///< the work itself failed, or a verification did
  argument = 2,   ///< an argument has a value that makes no sense
  input = 3,      ///< a file, format, shape or value read from outside is bad
  diverged = 4,   ///< training produced a non-finite loss
  resource = 5,   ///< no disk space or memory
  peer_lost = 6,  ///< another process of a distributed run was lost
  stopped = 130,  ///< a StopRequest was heeded (the command: 128 and the number of the signal)
};

/// The one exception type of the library: also where libtorch, the allocator or a library that reads files
/// fails underneath. `what()` is a single line fit for a person. What a program's own part throws (a network,
/// an observer) passes through as it is.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// An Error about one row of a batch, counted from 0.
class RowError : public Error {
 public:
  RowError(ErrorKind kind, int64_t row, const std::string& reason)
      : Error(kind, fmt::format("row {} (from 0): {}", row, reason)), row_(row), reason_(reason) {}
  int64_t row() const noexcept { return row_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  int64_t row_;
  std::string reason_;
};

}  // namespace fokker
