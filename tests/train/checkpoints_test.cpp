#include "fokker/train/checkpoints.h"

#include <sys/wait.h>

#include "fokker/core/file/files.h"
#include "fokker/core/file/manifest.h"
#include "train/saved_run.h"

namespace fokker {
namespace {

// Earlier versions named what they left ".NAME.old-PROCESS".
TEST_F(SavedRun, RecoversWhatEarlierVersionsLeft) {
  const auto whole = trainer(4);
  whole->run({});
  save(*whole, folder_);
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  fs::rename(folder_ / "network", folder_ / fmt::format(".network.old-{}", dead));
  fs::rename(folder_ / "checkpoints/step-000000004",
             folder_ / "checkpoints" / fmt::format(".step-000000004.old-{}", dead));
  fs::create_directories(folder_ / "checkpoints" / fmt::format(".step-000000008.tmp-{}", dead));
  EXPECT_NO_THROW(load_model(folder_));
  const auto resumed = trainer(10);
  EXPECT_TRUE(Checkpoints(folder_ / "checkpoints").load_newest(*resumed));
  EXPECT_EQ(resumed->step(), 4);
  resumed->run({});
  recover_contents(folder_);
  save(*resumed, folder_);
  EXPECT_EQ(load_model(folder_).training.steps, 10);
  EXPECT_EQ(hidden_in(folder_), std::vector<std::string>());
}

// A resumed run had its only checkpoint written anew at once.
TEST_F(SavedRun, WhatWasLoadedIsNotWrittenAgain) {
  const auto whole = trainer(4);
  whole->run({});
  const Checkpoints checkpoints(folder_);
  checkpoints.save(*whole, 2);
  const fs::path state = checkpoints.all().back() / "state.json";
  const auto written = fs::last_write_time(state);
  const auto again = trainer(4);
  EXPECT_TRUE(checkpoints.load_newest(*again));
  int calls = 0;
  TrainHooks hooks;
  hooks.on_checkpoint = [&](const Trainer& t) {
    checkpoints.save(t, 2);
    ++calls;
  };
  EXPECT_EQ(again->run(hooks), TrainOutcome::completed);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(fs::last_write_time(state), written);
  // One of the same step that was not loaded is another's.
  checkpoints.save(*whole, 2);
  EXPECT_NE(fs::last_write_time(state), written);
}

// The newest is damaged in every file and every way: the one before is taken, and the newest is kept aside.
TEST_F(SavedRun, ADamagedNewestIsSetAsideAndTheOneBeforeTaken) {
  const auto early = trainer(4), late = trainer(8);
  early->run({});
  late->run({});
  const Checkpoints checkpoints(folder_ / "c");
  checkpoints.save(*early, 2);
  checkpoints.save(*late, 2);
  const fs::path newest = checkpoints.all().back();
  const TestFolder good{place_in_memory()};
  fs::copy(newest, good / "c");
  int damaged = 0;
  std::vector<fs::path> files(fs::directory_iterator(newest), {});
  for (const fs::path& file : files)
    for (const bool removed : {false, true}) {
      if (removed)
        fs::remove(file);
      else
        fs::resize_file(file, fs::file_size(file) - 1);
      const auto resumed = trainer(10);
      EXPECT_TRUE(checkpoints.load_newest(*resumed));
      EXPECT_EQ(resumed->step(), 4) << file;
      ++damaged;
      const fs::path aside =
          folder_ / "c" /
          (damaged == 1 ? "damaged-step-000000008" : fmt::format("damaged-step-000000008-{}", damaged));
      EXPECT_TRUE(fs::exists(aside)) << aside;
      fs::copy(good / "c", newest);
    }
  EXPECT_EQ(damaged, 12);
  EXPECT_EQ(checkpoints.all().size(), 2u);
}

// Where nothing is whole nothing is moved, and the first damage is what is told.
TEST_F(SavedRun, NoWholeCheckpointIsRefusedAndLeft) {
  const auto whole = trainer(4);
  whole->run({});
  const Checkpoints checkpoints(folder_ / "c");
  checkpoints.save(*whole, 2);
  fs::resize_file(checkpoints.all().back() / "average.safetensors", 9);
  const auto resumed = trainer(10);
  expect_error([&] { checkpoints.load_newest(*resumed); }, ErrorKind::input,
               "average.safetensors: is damaged: expected");
  EXPECT_TRUE(fs::exists(folder_ / "c/step-000000004"));
}

TEST_F(SavedRun, EveryBitAndEveryLengthCount) {
  const auto whole = trainer(4);
  whole->run({});
  whole->save_state(folder_);
  ASSERT_TRUE(Trainer::verify_state(folder_).damage.empty());
  int64_t flips = 0, cuts = 0;
  std::vector<fs::path> files(fs::directory_iterator(folder_.path()), {});
  for (const fs::path& file : files) {
    const std::string bytes = read_file(file);
    const bool is_manifest = file.filename() == manifest_name;
    const auto damaged = [&](const std::string& bad) {
      std::ofstream(file, std::ios::binary) << bad;
      return !verify_folder(folder_, is_manifest ? "" : file.filename().string()).damage.empty();
    };
    for (size_t at = 0; at < bytes.size(); at += 97) {
      for (int bit = 0; bit < 8; ++bit, ++flips) {
        std::string bad = bytes;
        bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
        EXPECT_TRUE(damaged(bad)) << file << " byte " << at << " bit " << bit;
      }
    }
    for (size_t length = bytes.size(); length-- > 0; ++cuts) {
      fs::resize_file(file, length);
      const auto found = verify_folder(folder_, is_manifest ? "" : file.filename().string());
      EXPECT_FALSE(found.damage.empty()) << file << " cut at " << length;
    }
    EXPECT_FALSE(damaged(bytes));
  }
  std::printf("%ld flipped bits and %ld lengths were all seen\n", flips, cuts);
  EXPECT_GT(flips, 500);
}

TEST_F(SavedRun, KeepsTheNewestByNumber) {
  const auto whole = trainer(4);
  whole->run({});
  for (const char* name : {"step-999999999", "step-1000000000", "step-12"})
    fs::create_directories(folder_ / name);
  const auto all = Checkpoints(folder_).all();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all.back().filename(), "step-1000000000");
  Checkpoints(folder_).save(*whole, 3);
  EXPECT_FALSE(fs::exists(folder_ / "step-000000004"));
}

}  // namespace
}  // namespace fokker
