#include "fokker/core/file/replacement.h"

#include <sys/wait.h>

#include <algorithm>

#include "fault_points.h"
#include "fokker/core/file/files.h"
#include "fokker/core/file/leftovers.h"
#include "fokker/core/text/text.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;

/// A folder with an old run, in which a file and a folder have successors and two have none, and a file of
/// the user's.
class Replacement : public ::testing::Test {
 protected:
  /// Hundreds of files are synced: in memory where there is such a place.
  static fs::path place() {
    const fs::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  }

  const TestFolder folder_{place()};
  const std::vector<std::string> outgoing_ = {"model", "network", "report", "unet", "never there"};

  void make_old(const std::string& place) const {
    folder_.write(place + "/model", "old");
    folder_.write(place + "/network/weights", "old");
    folder_.write(place + "/unet/weights", "old");
    folder_.write(place + "/report", "old");
    folder_.write(place + "/notes", "mine");
  }
  static void stage(const fs::path& staged) {
    fs::create_directories(staged / "network");
    write_file_atomically(staged / "network/weights", "new");
    write_file_atomically(staged / "model", "new");
    write_file_atomically(staged / "metrics", "new");
  }
  void replace(const fs::path& place) const {
    Unfinished staged(temporary_beside(place / "run"));
    stage(staged.path());
    replace_entries(place, staged, outgoing_);
  }
  /// Every file under a folder with its content, but for what is hidden and belongs to nobody.
  std::string state(const fs::path& place) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(place))
      if (entry.is_regular_file())
        found.push_back(fs::relative(entry.path(), place).string() + "=" + read_file(entry.path()));
    std::sort(found.begin(), found.end());
    return join(found);
  }
};

constexpr const char* old_state = "model=old, network/weights=old, notes=mine, report=old, unet/weights=old";
constexpr const char* new_state = "metrics=new, model=new, network/weights=new, notes=mine";

TEST_F(Replacement, TakesTheOldEntriesAwayAndLeavesOthers) {
  make_old("run");
  replace(folder_ / "run");
  EXPECT_EQ(state(folder_ / "run"), new_state);
  replace(folder_ / "run");
  EXPECT_EQ(state(folder_ / "run"), new_state);
}

TEST_F(Replacement, WithoutItTheStagedFolderGoes) {
  make_old("run");
  {
    Unfinished staged(temporary_beside(folder_ / "run/run"));
    stage(staged.path());
  }
  EXPECT_EQ(state(folder_ / "run"), old_state);
}

TEST_F(Replacement, KilledAnywhereLeavesTheOldOrTheNewEntries) {
  bool old_seen = false;
  for (int point = 1;; ++point) {
    const std::string name = fmt::format("run{}", point);
    make_old(name);
    const Ending result = run_killed(point, false, [&] { replace(folder_ / name); });
    if (result == Ending::not_permitted) GTEST_SKIP() << "this system does not permit to disturb calls";
    ASSERT_NE(result, Ending::failed) << point;
    finish_replacement(folder_ / name);
    recover_contents(folder_ / name);
    const std::string found = state(folder_ / name);
    EXPECT_TRUE(found == old_state || found == new_state) << "killed before call " << point << ": " << found;
    old_seen = old_seen || found == old_state;
    if (result == Ending::killed) continue;
    EXPECT_EQ(found, new_state);
    EXPECT_TRUE(old_seen);
    EXPECT_GT(point, 15);
    return;
  }
}

}  // namespace
}  // namespace fokker
