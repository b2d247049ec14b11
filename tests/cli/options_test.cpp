// Options that would do nothing are refused, or said.
#include <sstream>

#include "cli/command.h"
#include "cli/fixture.h"

namespace fokker {
namespace {

/// Within this process, as a start of the command takes half a second.
class CliOptions : public Cli {
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
  /// The message of the argument error that ends the command, or "" where it succeeds.
  static std::string refusal(const std::string& arguments) {
    std::istringstream words(arguments);
    std::vector<std::string> list;
    for (std::string word; words >> word;) list.push_back(word);
    cli::CommandLine line;
    add_commands(line);
    try {
      line.run(list);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::argument) << arguments << ": " << error.what();
      return error.what();
    }
    return "";
  }

 private:
  fs::path before_;
};

TEST_F(CliOptions, SampleRefusesWhatDoesNothing) {
  const std::string direct = "sample --target two-modes --n 5 --out s.csv --quiet ";
  EXPECT_THAT(refusal(direct + "--grid uniform"), HasSubstr("grid: a target is drawn directly"));
  EXPECT_THAT(refusal(direct + "--batch 3"), HasSubstr("batch: a target is drawn directly"));
  EXPECT_THAT(refusal(direct + "--label 1"), HasSubstr("label: a target has no classes"));
  EXPECT_THAT(refusal(direct + "--guidance 2"), HasSubstr("guidance: a target has no classes"));
  EXPECT_THAT(refusal(direct + "--process vp --clip 1"),
              HasSubstr("clip: the exact denoiser is not clipped"));
  EXPECT_THAT(refusal(direct + "--process vp --trajectory-every 2"),
              HasSubstr("trajectory-every: expected --trajectory"));
  EXPECT_THAT(refusal(direct + "--sampler ula --grid uniform"),
              HasSubstr("grid: the steps of ula have no times"));
  EXPECT_THAT(refusal("sample run --process ve --n 5 --out s.csv"), HasSubstr("process: a run has its own"));
}

// It holds every option; the defaults among them say nothing.
TEST_F(CliOptions, ASavedConfigurationIsNotRefused) {
  ASSERT_EQ(run("sample --target two-modes --n 5 --out s.csv --quiet").code, 0);
  EXPECT_EQ(run("sample --config s.csv.toml").code, 0);
}

}  // namespace
}  // namespace fokker
