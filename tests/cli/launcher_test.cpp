// fokker answers --help and --version by itself and starts its engine for everything else.
#include "fixture.h"

namespace fokker {
namespace {

std::string engine() {
  return fs::path(FOKKER_COMMAND).parent_path() / "fokker-engine";
}

TEST_F(Cli, HelpIsTheEnginesOwn) {
  for (const char* command : {"", "train", "sample", "plot", "verify"}) {
    const Outcome launcher = run(fmt::format("{} --help", command));
    EXPECT_EQ(launcher.code, 0);
    EXPECT_THAT(launcher.out, HasSubstr("Usage"));
    std::system(fmt::format("'{}' {} --help >'{}'", engine(), command, path("engine.txt")).c_str());
    EXPECT_EQ(launcher.out, read_file(path("engine.txt"))) << command;
  }
  EXPECT_EQ(run("train --steps 10 -h").out, run("train --help").out);
  EXPECT_EQ(run("--version").out.find("fokker "), 0u);
}

TEST_F(Cli, HelpNeedsNoEngineAndWorkSaysThatItIsMissing) {
  fs::copy_file(FOKKER_COMMAND, path("fokker"));
  const auto alone = [&](const std::string& arguments) {
    const std::string text =
        fmt::format("'{}' {} >'{}' 2>'{}'", path("fokker"), arguments, path("alone.txt"), path("alone.err"));
    return WEXITSTATUS(std::system(text.c_str()));
  };
  EXPECT_EQ(alone("sample --help"), 0);
  EXPECT_EQ(read_file(path("alone.txt")), run("sample --help").out);
  EXPECT_EQ(alone("sample --target two-modes --out x.npy"), 1);
  EXPECT_THAT(read_file(path("alone.err")), HasSubstr("fokker-engine: No such file"));
}

// Libraries that libtorch names and does not use are found empty beside the engine, which lacks nothing.
TEST_F(Cli, EngineLoadsEmptyLibrariesForUnusedNamesAndLacksNoSymbol) {
  std::system(fmt::format("ldd -r '{}' >'{}' 2>&1", engine(), path("ldd.txt")).c_str());
  const std::string loaded = read_file(path("ldd.txt"));
  EXPECT_THAT(loaded, HasSubstr("libtorch_cpu"));
  EXPECT_THAT(loaded, ::testing::Not(HasSubstr("undefined symbol")));
  const fs::path folder = fs::canonical(fs::path(engine()).parent_path() / "unused");
  for (const auto& entry : fs::directory_iterator(folder)) {
    // One library has all the names, and is listed under the first.
    const std::string place = entry.path().filename().string() + " => ";
    if (entry.is_symlink() && loaded.find(place) != std::string::npos) {
      EXPECT_THAT(loaded, HasSubstr(place + folder.string()));
    }
  }
}

TEST_F(Cli, LauncherSaysHowThreadsWaitUnlessTheUserDoes) {
  fs::copy_file(FOKKER_COMMAND, path("fokker"));
  write("fokker-engine", "#!/bin/sh\nenv\n");
  fs::permissions(path("fokker-engine"), fs::perms::owner_all);
  const auto environment = [&](const std::string& set) {
    std::system(fmt::format("env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT -u OPENBLAS_NUM_THREADS {} '{}' >'{}'",
                            set, path("fokker"), path("environment.txt"))
                    .c_str());
    return read_file(path("environment.txt"));
  };
  EXPECT_THAT(environment(""),
              AllOf(HasSubstr("OPENBLAS_NUM_THREADS=1\n"), HasSubstr("GOMP_SPINCOUNT=10000\n")));
  EXPECT_THAT(environment("OPENBLAS_NUM_THREADS=3"), HasSubstr("OPENBLAS_NUM_THREADS=3\n"));
  EXPECT_THAT(environment("GOMP_SPINCOUNT=7"), HasSubstr("GOMP_SPINCOUNT=7\n"));
  EXPECT_THAT(environment("OMP_WAIT_POLICY=active"), ::testing::Not(HasSubstr("GOMP_SPINCOUNT")));
}

}  // namespace
}  // namespace fokker
