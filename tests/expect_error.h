#pragma once
#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "fokker/core/error.h"

namespace fokker {

/// The message of the Error that `work` throws, which must be one line and, where a kind is given, of that
/// kind. Fails the test where there is none.
template <typename Work>
std::string refusal_of(Work work, std::optional<ErrorKind> kind = {}) {
  try {
    work();
  } catch (const Error& error) {
    if (kind) {
      EXPECT_EQ(error.kind(), *kind) << error.what();
    }
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "no error";
}

/// Expects an Error of that kind whose message contains `text`.
template <typename Work>
void expect_error(Work work, ErrorKind kind, const std::string& text) {
  EXPECT_THAT(refusal_of(work, kind), ::testing::HasSubstr(text));
}

/// EXPECT_THAT([&] { ... }, message("...")): throws an Error whose message contains the text.
inline auto message(const char* text) {
  return ::testing::ThrowsMessage<Error>(::testing::HasSubstr(text));
}

}  // namespace fokker
