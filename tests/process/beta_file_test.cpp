// A chain's table of betas from a file, and the process that is made of it.
#include "fokker/process/beta_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fokker/core/error.h"
#include "fokker/process/gaussian_process.h"

namespace fokker {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class BetaFile : public testing::Test {
 protected:
  std::string written(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_ =
      (std::filesystem::temp_directory_path() / ("fokker-betas-" + std::to_string(::getpid()) + ".csv"))
          .string();
};

TEST_F(BetaFile, ReadsLinesCommasAndAHeading) {
  EXPECT_EQ(read_betas(written("beta\n0.1\n0.2, 0.3\r\n\n0.4;0.5")),
            (std::vector<double>{0.1, 0.2, 0.3, 0.4, 0.5}));
}

TEST_F(BetaFile, MakesAProcess) {
  const GaussianProcess process(make_schedule("ddpm:betas=" + written("0.1\n0.2\n0.4\n")));
  EXPECT_NEAR(process.alpha(2.0 / 3), std::sqrt(0.9 * 0.8), 1e-14);
  EXPECT_NEAR(process.alpha(1), std::sqrt(0.9 * 0.8 * 0.6), 1e-14);
  EXPECT_THAT([&] { make_schedule("ddpm:steps=5,betas=" + path_); },
              ThrowsMessage<Error>(HasSubstr("expected betas=FILE or steps but received both")));
}

TEST_F(BetaFile, NamesTheLineThatIsWrong) {
  const auto refusal = [&](const char* text) { return [this, text] { read_betas(written(text)); }; };
  EXPECT_THAT(refusal("0.1\n1.5\n"),
              ThrowsMessage<Error>(HasSubstr("line 2: expected a beta strictly between 0 and 1")));
  EXPECT_THAT(refusal("0.1\nx\n"), ThrowsMessage<Error>(HasSubstr("line 2")));
  EXPECT_THAT(refusal("beta\n"), ThrowsMessage<Error>(HasSubstr("expected at least one beta")));
}

}  // namespace
}  // namespace fokker
