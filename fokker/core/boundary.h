#pragma once

namespace fokker::detail {

/// The library's boundary: to be called from a handler, `} catch (...) { detail::throw_as_error(); }`, at the
/// end of a public function. Throws the exception that is being handled: as an Error where libtorch, the
/// allocator, the file system, the JSON reader or the operating system threw it, otherwise as it is: an
/// Error, or what the program's own part (a network, an observer) threw.
[[noreturn]] void throw_as_error();

}  // namespace fokker::detail
