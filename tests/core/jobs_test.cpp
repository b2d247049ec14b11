#include "fokker/core/jobs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "fokker/core/check.h"

namespace fokker {
namespace {

TEST(Jobs, EachRunsOnce) {
  std::vector<std::atomic<int>> runs(50);
  run_jobs(runs.size(), 3, [&](size_t i) { ++runs[i]; });
  for (const auto& count : runs) EXPECT_EQ(count, 1);
}

TEST(Jobs, NoneIsBegunAfterAnError) {
  std::atomic<int> begun = 0;
  EXPECT_THROW(run_jobs(1000, 1,
                        [&](size_t i) {
                          ++begun;
                          check(i < 3, "job {}", i);
                        }),
               Error);
  EXPECT_EQ(begun, 4);
}

}  // namespace
}  // namespace fokker
