#include "fokker/core/file/files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "fokker/core/file/leftovers.h"
#include "folder.h"
#include "support.h"

namespace fokker {
namespace {

namespace fs = std::filesystem;

class Files : public FolderTest {
 protected:
  /// A folder with one file that says `content`.
  void put(const fs::path& path, const std::string& content) const {
    write_folder_atomically(path, [&](const fs::path& f) { write_file_atomically(f / "part", content); });
  }
  static void make(const fs::path& path, const std::string& content) {
    fs::create_directories(path);
    std::ofstream(path / "part") << content;
  }
  static std::string content(const fs::path& path) { return read_file(path / "part"); }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      found.insert(entry.path().filename().string());
    return found;
  }
};

/// The number of a process that has ended.
pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST_F(Files, AFolderIsReplacedAndNothingElseIsLeft) {
  put(folder_ / "model", "first");
  EXPECT_EQ(content(folder_ / "model"), "first");
  put(folder_ / "model", "second");
  EXPECT_EQ(content(folder_ / "model"), "second");
  EXPECT_THROW(
      write_folder_atomically(folder_ / "model", [](const fs::path&) { throw std::runtime_error("no"); }),
      std::runtime_error);
  EXPECT_EQ(content(folder_ / "model"), "second");
  // A file in the place of the folder too.
  write_file_atomically(folder_ / "file", "x");
  put(folder_ / "file", "third");
  EXPECT_EQ(content(folder_ / "file"), "third");
  EXPECT_EQ(names(), (std::set<std::string>{"model", "file"}));
}

// Names held the number of the process alone, so that one thread removed what another was writing.
TEST_F(Files, ThreadsThatWriteOnePlaceDoNotMeet) {
  constexpr int rounds = 20;
  const std::string long_a(10'000, 'a'), long_b(10'000, 'b');
  const auto write = [&](const std::string& text) {
    for (int i = 0; i < rounds; ++i) {
      put(folder_ / "model", text);
      write_file_atomically(folder_ / "file", text);
    }
  };
  {
    const std::jthread first([&] { write(long_a); }), second([&] { write(long_b); });
  }
  for (const std::string& found : {content(folder_ / "model"), read_file(folder_ / "file")})
    EXPECT_TRUE(found == long_a || found == long_b);
  EXPECT_EQ(names(), (std::set<std::string>{"model", "file"}));
}

TEST_F(Files, WhatKilledProcessesLeftIsRemoved) {
  const std::string dead = std::to_string(dead_process()), alive = std::to_string(::getppid());
  put(folder_ / "model", "kept");
  for (const std::string& name :
       {".model.old-" + dead, ".model.tmp-" + dead, ".model.tmp-" + dead + "-12ab-3", ".model.old-" + alive,
        ".other.tmp-" + dead, std::string(".model.tmp-notes")})
    make(folder_ / name, "left");
  // One that has the number of this process, from before it.
  make(folder_ / (".model.old-" + std::to_string(::getpid())), "left");
  std::ofstream(folder_ / (".file.tmp-" + dead)) << "left";
  put(folder_ / "model", "new");
  write_file_atomically(folder_ / "file", "new");
  EXPECT_EQ(names(), (std::set<std::string>{"model", "file", ".model.old-" + alive, ".other.tmp-" + dead,
                                            ".model.tmp-notes"}));
  recover_contents(folder_);
  EXPECT_EQ(names(), (std::set<std::string>{"model", "file", ".model.old-" + alive, ".model.tmp-notes"}));
}

// Between the two renames of a file system that cannot exchange names, of this version and of earlier ones.
TEST_F(Files, APredecessorWithoutASuccessorIsPutBack) {
  const std::string dead = std::to_string(dead_process());
  for (const std::string& owner : {dead, dead + "-0123456789abcdef-7"}) {
    make(folder_ / (".model.old-" + owner), "the only one");
    make(folder_ / (".model.tmp-" + owner), "half");
    recover_folder(folder_ / "model");
    EXPECT_EQ(content(folder_ / "model"), "the only one");
    fs::remove_all(folder_ / "model");
    // A save that comes first does not take it for rubbish: it fails here, and the content is there.
    make(folder_ / (".model.old-" + owner), "the only one");
    EXPECT_THROW(
        write_folder_atomically(folder_ / "model", [](const fs::path&) { throw std::runtime_error("no"); }),
        std::runtime_error);
    EXPECT_EQ(content(folder_ / "model"), "the only one");
    put(folder_ / "model", "new");
    EXPECT_EQ(content(folder_ / "model"), "new");
    EXPECT_EQ(names(), (std::set<std::string>{"model"}));
    fs::remove_all(folder_ / "model");
  }
  // The newest of several.
  make(folder_ / (".model.old-" + dead + "-aa-0"), "older");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  make(folder_ / (".model.old-" + dead + "-bb-0"), "newer");
  recover_contents(folder_);
  EXPECT_EQ(content(folder_ / "model"), "newer");
  EXPECT_EQ(names(), (std::set<std::string>{"model"}));
  recover_folder(folder_ / "nothing");
  EXPECT_FALSE(fs::exists(folder_ / "nothing"));
}

TEST_F(Files, NamesAreNeverShared) {
  std::set<fs::path> seen;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(seen.insert(temporary_beside(folder_ / "a")).second);
    EXPECT_TRUE(seen.insert(predecessor_beside(folder_ / "a")).second);
  }
  // A name that fills its file system's 255 bytes has a temporary one too.
  const fs::path longest = folder_ / std::string(255, 'n');
  write_file_atomically(longest, "x");
  EXPECT_EQ(read_file(longest), "x");
}

TEST_F(Files, AFolderIsRemovedWhole) {
  put(folder_ / "model", "x");
  remove_folder_atomically(folder_ / "model");
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace fokker
