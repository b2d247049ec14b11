#pragma once
#include <functional>
#include <string>

#include "expect_error.h"

namespace fokker::plot {

/// Expects an Error of that kind whose message contains `text`.
inline void expect_refusal(ErrorKind kind, const std::string& text, const std::function<void()>& work) {
  expect_error(work, kind, text);
}

}  // namespace fokker::plot
