// Data that stays on disk, as the command trains on it: the files of the run, memory under a limit, and
// faults.
#include <chrono>
#include <thread>

#include "cli/fixture.h"
#include "fokker/data/array/npy.h"
#include "fokker/image/image.h"

namespace fokker {
namespace {

class CliStream : public Cli {
 protected:
  static std::string command(const std::string& data, const std::string& out, const std::string& more) {
    return fmt::format(
        "train --data {} --out {} --steps 20 --batch 16 --width 16 --depth 1 --checkpoint-every 10 "
        "--no-report --quiet {}",
        data, out, more);
  }
};

TEST_F(CliStream, WritesTheSameModelWhereverTheRowsAre) {
  save_npy(path("a.npy"), Rng(1).normal({200, 3}, {}));
  for (const char* how : {"no", "yes"}) {
    const Outcome outcome = run(command("a.npy", how, fmt::format("--stream {}", how)));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path("no")))
    if (entry.path().extension() == ".safetensors")
      files[fs::relative(entry.path(), path("no")).string()] = read_file(entry.path());
  ASSERT_FALSE(files.empty());
  for (const auto& [name, bytes] : files) EXPECT_EQ(read_file(path("yes/" + name)), bytes) << name;
  // The report reads the rows as the training did.
  EXPECT_EQ(run("report yes --quiet").code, 0);
}

TEST_F(CliStream, SaysWhereTheRowsAreAndWhy) {
  save_npy(path("a.npy"), Rng(1).normal({200, 3}, {}));
  const std::string dry = "train --data a.npy --out run --dry-run --json ";
  EXPECT_THAT(run(dry + "--stream yes").err,
              HasSubstr("a.npy: its rows stay on disk and are read as they are needed"));
  EXPECT_THAT(run(dry).err, ::testing::Not(HasSubstr("stay on disk")));
  const Outcome refused = run(dry + "--stream perhaps");
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("stream: expected auto, yes or no but received 'perhaps'"));
}

/// A sparse file of a gigabyte, whose rows would be doubles and copied for training in memory, under a limit
/// of a gigabyte of memory of its own.
TEST_F(CliStream, TrainsOnMoreThanItsMemory) {
  const int64_t rows = 1'000'000, columns = 256;
  const std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  std::string start("\x93NUMPY\x01\x00\x76\x00", 10);
  start += header + std::string(117 - header.size(), ' ') + "\n";
  write("large.npy", start);
  fs::resize_file(path("large.npy"), start.size() + static_cast<uint64_t>(rows * columns) * 4);
  const Outcome outcome =
      run(command("large.npy", "run", "--threads 1 --normalise identity"), "ulimit -d 1000000;");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Outcome in_memory =
      run(command("large.npy", "other", "--threads 1 --stream no"), "ulimit -d 1000000;");
  EXPECT_EQ(in_memory.code, 5) << in_memory.err;
}

TEST_F(CliStream, ACacheThatCannotBeMadeIsOneLineAndExitFive) {
  write("a.csv", "a,b\n1.25,2\n2.5,3.5\n3,4.25\n");
  write("file", "");
  const Outcome outcome = run(command("a.csv", "run", "--stream yes --cache file/inside"));
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("name another folder for the cache (cache)"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_FALSE(fs::exists(path("run")));
  // A limit on the size of files stands for a full disk: nothing is left of the cache.
  std::string rows = "a,b\n";
  for (int i = 0; i < 20'000; ++i) rows += fmt::format("{}.5,{}.25\n", i, i * 3 % 1001);
  write("long.csv", rows);
  const Outcome full = run(command("long.csv", "run", "--stream yes --cache there"), "ulimit -f 100;");
  EXPECT_EQ(full.code, 5) << full.err;
  EXPECT_THAT(full.err, HasSubstr("long.csv.fokker-cache: cannot be written"));
  EXPECT_TRUE(!fs::exists(path("there")) || fs::is_empty(path("there")));
}

TEST_F(CliStream, AFileThatIsCutShortDuringTrainingEndsItWithExitThree) {
  save_npy(path("a.npy"), Rng(1).normal({2000, 3}, {}));
  const pid_t child = begin(
      "train --data a.npy --out run --minutes 5 --batch 16 --width 16 --depth 1 "
      "--checkpoint-every 5 --no-report --stream yes");
  for (int i = 0; i < 6000 && !fs::exists(path("run/fokker.json")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(fs::exists(path("run/fokker.json")));
  fs::resize_file(path("a.npy"), 4000);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_THAT(read_file(path("err.txt")), HasSubstr("a.npy: it was c"));  // changed, or cut short
}

}  // namespace
}  // namespace fokker
