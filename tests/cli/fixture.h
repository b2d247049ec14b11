#pragma once
// Runs the command as a user does, in a folder of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "fokker/core/file/files.h"
#include "fokker/data/csv/csv.h"
#include "support.h"

extern char** environ;

namespace fokker {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Outcome {
  int code;
  std::string out, err;
};

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("fokker-cli-{}", ::getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }

  /// Begins "fokker ARGUMENTS" in the test's folder: its process.
  pid_t begin(const std::string& arguments) const {
    const std::string line = fmt::format("cd '{}' && exec '{}' {} >out.txt 2>err.txt </dev/null",
                                         folder_.string(), FOKKER_COMMAND, arguments);
    std::vector<std::string> words = {"sh", "-c", line};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, "/bin/sh", nullptr, nullptr, argv.data(), environ), 0);
    return child;
  }

  /// Runs "fokker ARGUMENTS" in the test's folder, with a shell's prefix such as "timeout -s INT 2".
  Outcome run(const std::string& arguments, const std::string& prefix = "") const {
    const std::string command = fmt::format("cd '{}' && {} '{}' {} >out.txt 2>err.txt </dev/null",
                                            folder_.string(), prefix, FOKKER_COMMAND, arguments);
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(path("out.txt")),
            read_file(path("err.txt"))};
  }

  /// The last line on standard error, after what was said of the files that were read, with the exit code of
  /// the contract.
  void expect_refusal(const std::string& arguments, int code, const std::string& message) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message)) << arguments;
    const size_t refusal = outcome.err.rfind("fokker: ");
    ASSERT_NE(refusal, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n', refusal), outcome.err.size() - 1) << outcome.err;
    EXPECT_TRUE(refusal == 0 || outcome.err[refusal - 1] == '\n') << outcome.err;
    EXPECT_EQ(outcome.err.find("fokker: "), refusal) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }

  void write_points(int rows) const {
    std::string text = "a,b\n";
    const Tensor values = Rng(3).normal({rows, 2}, {}, at::kDouble);
    for (int i = 0; i < rows; ++i)
      text += fmt::format("{},{}\n", values[i][0].item<double>() * 1e-3, 1e5 + values[i][1].item<double>());
    write("points.csv", text);
  }

  fs::path folder_;
};

}  // namespace fokker
