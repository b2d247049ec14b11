#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "fokker/core/error.h"

namespace fokker::plot {

/// Expects an Error of that kind whose message contains `text`.
inline void expect_refusal(ErrorKind kind, const std::string& text, const std::function<void()>& work) {
  try {
    work();
    ADD_FAILURE() << "expected a refusal: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(text));
  }
}

}  // namespace fokker::plot
