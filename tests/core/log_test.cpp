#include "fokker/core/log.h"

#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fokker/core/messages.h"

namespace fokker {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// Collects lines while it lives.
class Lines {
 public:
  Lines() {
    set_log_sink([this](LogLevel level, std::string_view text) { lines_.emplace_back(level, text); });
  }
  ~Lines() { set_log_sink({}); }
  const std::vector<std::pair<LogLevel, std::string>>& lines() const { return lines_; }

 private:
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

TEST(Log, SinkReceivesEveryLineWithItsLevel) {
  const Lines seen;
  detail::message("read 5 rows");
  detail::warn("they are constant");
  detail::message("read 5 rows");
  EXPECT_THAT(seen.lines(),
              ElementsAre(Pair(LogLevel::info, "read 5 rows"), Pair(LogLevel::warning, "they are constant"),
                          Pair(LogLevel::info, "read 5 rows")));
}

TEST(Log, WritesNothingByItself) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  detail::message("a message");
  detail::warn("a warning");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(Log, ALineIsSaidOnceToWhomeverListensFirst) {
  detail::warn_once("seen once");  // nobody listens: it is not used up
  const Lines seen;
  detail::warn_once("seen once");
  detail::warn_once("seen once");
  detail::message_once("another");
  EXPECT_THAT(seen.lines(),
              ElementsAre(Pair(LogLevel::warning, "seen once"), Pair(LogLevel::info, "another")));
}

TEST(Log, LinesOfManyThreadsComeOneAtATime) {
  std::atomic<int> inside = 0, lines = 0, overlaps = 0;
  set_log_sink([&](LogLevel, std::string_view) {
    if (inside++ > 0) ++overlaps;
    std::this_thread::yield();
    --inside;
    ++lines;
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int k = 0; k < 40; ++k) detail::message("line");
      });
  }
  set_log_sink({});
  EXPECT_EQ(lines, 160);
  EXPECT_EQ(overlaps, 0);
}

}  // namespace
}  // namespace fokker
