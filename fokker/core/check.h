#pragma once
#include "fokker/core/error.h"

/// How the library refuses. Not for public headers: a program that says `using namespace fokker` has its own
/// `check`.
namespace fokker::detail {

/// Does the work on rows that begin at `first` of a larger batch: the rows of its RowErrors count in that.
template <typename Work>
decltype(auto) count_rows_from(int64_t first, Work&& work) {
  try {
    return work();
  } catch (const RowError& error) {
    throw RowError(error.kind(), first + error.row(), error.reason());
  }
}

/// Throws an Error of the given kind.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an argument error unless `condition` holds. Say what was expected and what was received.
template <typename... Args>
void check(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::argument, format, std::forward<Args>(args)...);
}

/// As `check`, for anything read from outside: name the file and the place.
template <typename... Args>
void check_input(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::input, format, std::forward<Args>(args)...);
}

}  // namespace fokker::detail

namespace fokker {
using detail::check;
using detail::check_input;
using detail::count_rows_from;
using detail::fail;
}  // namespace fokker
