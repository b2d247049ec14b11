#include "fokker/core/boundary.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "fokker/core/check.h"
#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker {
namespace {

/// What a public function throws where `work` throws inside it.
template <typename Work>
void public_function(Work work) try {
  work();
} catch (...) {
  detail::throw_as_error();
}

TEST(Boundary, WhatLibrariesThrowBecomesAnError) {
  const auto expect = [](auto work, ErrorKind kind, const std::string& text) {
    expect_error([&] { public_function(work); }, kind, text);
  };
  // libtorch 2.x names the operation between the two.
  for (const char* text : {"libtorch: m", "mat1 and mat2 shapes"})
    expect([] { at::ones({2, 3}).mm(at::ones({2, 3})); }, ErrorKind::failed, text);
  expect([] { at::empty({int64_t{1} << 58}); }, ErrorKind::resource, "out of memory");
  expect([] { throw std::bad_alloc(); }, ErrorKind::resource, "out of memory");
  expect([] { std::vector<double>().reserve(SIZE_MAX); }, ErrorKind::resource, "out of memory");
  expect([] { return nlohmann::json::parse("{").size(); }, ErrorKind::input, "JSON: ");
  expect([] { nlohmann::json("text").get<int>(); }, ErrorKind::input, "JSON: ");
  expect([] { std::filesystem::create_directory("/dev/null/folder"); }, ErrorKind::resource,
         "/dev/null/folder: ");
  expect([] { throw std::system_error(std::make_error_code(std::errc::too_many_files_open)); },
         ErrorKind::resource, "Too many open files");
}

TEST(Boundary, MessagesAreOneLine) {
  try {
    public_function([] { at::ones({2, 3}).mm(at::ones({2, 3})); });
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
  }
}

TEST(Boundary, ErrorsAndTheProgramsOwnExceptionsPass) {
  expect_error([] { public_function([] { fail(ErrorKind::diverged, "at step {}", 3); }); },
               ErrorKind::diverged, "at step 3");
  try {
    public_function([] { throw RowError(ErrorKind::failed, 7, "no number"); });
    ADD_FAILURE();
  } catch (const RowError& error) {
    EXPECT_EQ(error.row(), 7);
  }
  struct Mine {
    int value;
  };
  try {
    public_function([] { throw Mine{5}; });
    ADD_FAILURE();
  } catch (const Mine& mine) {
    EXPECT_EQ(mine.value, 5);
  }
}

TEST(Boundary, PublicFunctionsSayWhenMemoryIsShort) {
  const Rng rng(0);
  const int64_t most = int64_t{1} << 57;  // elements: no machine has 2^59 bytes
  expect_error([&] { rng.normal({most}); }, ErrorKind::resource, "out of memory");
  expect_error([&] { rng.uniform({most, 1}); }, ErrorKind::resource, "out of memory");
  expect_error([&] { rng.permutation(int64_t{1} << 52); }, ErrorKind::resource, "out of memory");
}

}  // namespace
}  // namespace fokker
