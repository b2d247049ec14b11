// Each command that writes a file leaves its options beside it, by which it can be repeated.
#include "cli/inside.h"

namespace fokker {
namespace {

class CliLeaves : public CliInside {
 protected:
  /// Runs the command, then what it left with another name for the output: the same bytes.
  static void expect_repeated(const std::string& arguments, const std::string& out,
                              const std::string& again) {
    ASSERT_EQ(refusal(arguments + " --quiet --out " + out), "") << arguments;
    ASSERT_TRUE(fs::exists(out + ".toml")) << arguments;
    const std::string command = arguments.substr(0, arguments.find(' '));
    ASSERT_EQ(refusal(command + " --quiet --config " + out + ".toml --out " + again), "") << arguments;
    EXPECT_EQ(read_file(out), read_file(again)) << arguments;
  }
};

TEST_F(CliLeaves, ItsOptionsBesideEveryFile) {
  const std::string law = " --target two-modes --process vp";
  ASSERT_EQ(refusal("sample --target two-modes --n 20 --steps 5 --quiet --out rows.csv --seed 3"), "");
  ASSERT_EQ(refusal("train --data rows.csv --out run --steps 2 --width 8 --depth 1 --no-report --quiet"), "");
  expect_repeated("sample" + law + " --n 4 --steps 5 --seed 9", "s.npy", "s2.npy");
  expect_repeated("score" + law + " --data rows.csv --time 0.5", "score.csv", "score2.csv");
  expect_repeated("simulate" + law + " --direction reverse --n 3 --steps 4 --seed 9", "paths.npy",
                  "paths2.npy");
  expect_repeated("likelihood" + law + " --data rows.csv --rtol 1e-2", "nats.csv", "nats2.csv");
  expect_repeated("encode run --data rows.csv --rtol 1e-2", "z.npy", "z2.npy");
  expect_repeated("decode run --data z.npy --rtol 1e-2", "x.csv", "x2.csv");
  expect_repeated("interpolate run --data rows.csv --rows 0,1 --frames 3 --rtol 1e-2", "walk.npy",
                  "walk2.npy");
  expect_repeated("plot scatter rows.csv --width 300 --height 300", "rows.svg", "rows2.svg");
}

TEST_F(CliLeaves, NothingWhereTheCommandFails) {
  EXPECT_NE(refusal("plot scatter absent.csv --out p.png --quiet", ErrorKind::input), "");
  EXPECT_FALSE(fs::exists("p.png.toml"));
}

}  // namespace
}  // namespace fokker
