#pragma once
#include <string>

#include "fokker/core/check.h"

/// How the library and the command name the rows of a file. Not for public headers.
namespace fokker::detail {

/// Does the work on the rows of a file, counted from its first one: its RowErrors name the file, and a row
/// that cannot be computed is bad input.
template <typename Work>
decltype(auto) name_rows_of(const std::string& file, Work&& work) {
  try {
    return work();
  } catch (const RowError& error) {
    fail(error.kind() == ErrorKind::failed ? ErrorKind::input : error.kind(), "{}: row {} (from 0): {}", file,
         error.row(), error.reason());
  }
}

}  // namespace fokker::detail

namespace fokker {
using detail::name_rows_of;
}
