#include "fokker/core/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "fokker/core/runtime.h"

namespace fokker {
namespace {

class Threads : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* asked = std::getenv("OMP_NUM_THREADS")) asked_ = asked;
    ASSERT_EQ(sched_getaffinity(0, sizeof mask_, &mask_), 0);
  }
  void TearDown() override {
    sched_setaffinity(0, sizeof mask_, &mask_);
    if (asked_) setenv("OMP_NUM_THREADS", asked_->c_str(), 1);
    set_threads(before_);
  }

  cpu_set_t mask_{};
  std::optional<std::string> asked_;
  int before_ = thread_count();
};

TEST_F(Threads, ZeroIsEveryCoreOfTheAffinityMask) {
  unsetenv("OMP_NUM_THREADS");
  set_threads(0);
  EXPECT_EQ(thread_count(), available_cores());
  EXPECT_LE(available_cores(), CPU_COUNT(&mask_));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; CPU_COUNT(&one) == 0; ++i)
    if (CPU_ISSET(i, &mask_)) CPU_SET(i, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
}

TEST_F(Threads, ZeroLeavesWhatTheEnvironmentSays) {
  set_threads(available_cores() + 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  set_threads(0);
  EXPECT_EQ(thread_count(), available_cores() + 1);
  if (!asked_) unsetenv("OMP_NUM_THREADS");
}

}  // namespace
}  // namespace fokker
