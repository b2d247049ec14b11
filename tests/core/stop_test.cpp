#include "fokker/core/stop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "fokker/core/file/files.h"
#include "fokker/core/file/unfinished.h"
#include "fokker/core/jobs.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;

TEST(StopRequest, IsHeededWithinItsScopeAlone) {
  StopRequest request;
  request.make();
  EXPECT_NO_THROW(check_stop());
  const StopScope scope(&request);
  EXPECT_TRUE(stop_requested());
  expect_error([] { check_stop(); }, ErrorKind::stopped, "stopped");
  {
    const StopScope none(nullptr);
    EXPECT_NO_THROW(check_stop());
  }
  EXPECT_TRUE(stop_requested());
}

TEST(StopRequest, ReachesTheThreadsOfJobs) {
  StopRequest request;
  const StopScope scope(&request);
  std::atomic<int> begun = 0;
  expect_error(
      [&] {
        run_jobs(1000, 3, [&](size_t) {
          if (++begun == 5) request.make();
          check_stop();
        });
      },
      ErrorKind::stopped, "stopped");
  EXPECT_LT(begun, 5 + 3);
}

class StopFolder : public FolderTest {
 protected:
  int64_t entries() const { return static_cast<int64_t>(folder_.entries()); }
};

// A request that comes while a file or a folder is written leaves neither it nor what was written of it.
TEST_F(StopFolder, WritersPutNothingInPlace) {
  StopRequest request;
  const StopScope scope(&request);
  const auto write = [&](const fs::path& at) { std::ofstream(at) << "half"; };
  expect_error(
      [&] {
        write_atomically(folder_ / "file", [&](const fs::path& at) {
          write(at);
          request.make();
        });
      },
      ErrorKind::stopped, "stopped");
  expect_error(
      [&] { write_folder_atomically(folder_ / "run", [&](const fs::path& at) { write(at / "a"); }); },
      ErrorKind::stopped, "stopped");
  EXPECT_EQ(entries(), 0);
}

// A process that has to end at once takes with it what it was writing, and only that.
TEST_F(StopFolder, UnfinishedFilesAreRemoved) {
  write_file_atomically(folder_ / "whole", "text");
  EXPECT_EXIT(write_folder_atomically(folder_ / "run",
                                      [&](const fs::path& at) {
                                        write_file_atomically(at / "a", "text");
                                        const Unfinished other(folder_ / "part");
                                        std::ofstream(other.path()) << "text";
                                        if (entries() != 3) ::_exit(1);
                                        remove_unfinished();
                                        ::_exit(0);
                                      }),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(entries(), 1);
}

}  // namespace
}  // namespace fokker
