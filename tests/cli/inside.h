#pragma once
#include <sstream>

#include "cli/fixture.h"
#include "cli/option/command.h"

namespace fokker {

/// Commands within this process, as a start of one takes half a second.
class CliInside : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    before_ = fs::current_path();
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(before_);
    Cli::TearDown();
  }
  /// The message of the error of that kind that ends the command, or "" where it succeeds. Words are
  /// separated by blanks.
  static std::string refusal(const std::string& arguments, ErrorKind kind = ErrorKind::argument) {
    std::istringstream words(arguments);
    std::vector<std::string> list;
    for (std::string word; words >> word;) list.push_back(word);
    cli::CommandLine line;
    add_commands(line);
    try {
      line.run(list);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << arguments << ": " << error.what();
      return error.what();
    }
    return "";
  }
  /// What the command prints as JSON, and what it says on standard error.
  struct Answer {
    Json json;
    std::string said;
  };
  static Answer answer(const std::string& arguments) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::string error = refusal(arguments + " --json");
    const std::string out = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(error, "") << arguments;
    return {Json::parse(out, nullptr, /*allow_exceptions=*/false), ::testing::internal::GetCapturedStderr()};
  }

 private:
  fs::path before_;
};

}  // namespace fokker
