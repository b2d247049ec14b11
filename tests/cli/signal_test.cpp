// What a signal does to each command: it ends soon, with the code of the contract, and leaves nothing half
// written.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <set>
#include <thread>

#include "cli/fixture.h"

namespace fokker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Two seconds on a machine of its own; tests share theirs.
constexpr double generous = 20;

class CliSignal : public Cli {
 protected:
  struct Ended {
    int code;  ///< 0 where it ended before the signal
    double seconds;
  };

  /// Starts the command and sends it signals, `between` apart: once it catches them and `ready` holds, and a
  /// moment later.
  Ended interrupt(const std::string& arguments, const std::vector<int>& signals,
                  const std::function<bool()>& ready = {}, milliseconds between = milliseconds(300)) const {
    const pid_t child = begin(arguments);
    if (child < 0) return {-1, 0};
    while (is_running(child) && !(catches(child) && (!ready || ready())))
      std::this_thread::sleep_for(milliseconds(20));
    std::this_thread::sleep_for(milliseconds(250));
    const auto begin = Clock::now();
    for (size_t i = 0; i < signals.size(); ++i) {
      if (i > 0) std::this_thread::sleep_for(between);
      ::kill(child, signals[i]);
    }
    return wait_for(child, begin);
  }

  static bool is_running(pid_t child) {
    siginfo_t ended = {};
    ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
    return ended.si_pid == 0;
  }
  /// Whether the process has a handler of SIGTERM.
  static bool catches(pid_t child) {
    std::ifstream status(fmt::format("/proc/{}/status", child));
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("SigCgt:")) return std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1;
    return false;
  }

  static Ended wait_for(pid_t child, Clock::time_point begin) {
    for (;;) {
      int status = 0;
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (::waitpid(child, &status, WNOHANG) == child)
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), seconds};
      if (seconds > 3 * generous) ::kill(child, SIGKILL);
      std::this_thread::sleep_for(milliseconds(10));
    }
  }

  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      found.insert(fs::relative(entry.path(), folder_).string());
    found.erase("out.txt");
    found.erase("err.txt");
    return found;
  }

  void expect_end(const std::string& arguments, int signal) const {
    const auto before = names();
    const Ended ended = interrupt(arguments, {signal});
    EXPECT_EQ(ended.code, 128 + signal) << arguments << "\n" << read_file(path("err.txt"));
    EXPECT_LT(ended.seconds, generous) << arguments;
    EXPECT_EQ(names(), before) << arguments;
    EXPECT_EQ(read_file(path("out.txt")), "") << arguments;
    EXPECT_THAT(read_file(path("err.txt")),
                HasSubstr(signal == SIGINT ? "stopped by SIGINT" : "stopped by SIGTERM"))
        << arguments;
  }

  void write_plane(const std::string& name, int64_t rows) const {
    std::string text = "x,y\n";
    const Tensor values = 3 * Rng(3).normal({rows, 2}, {}, at::kDouble);
    const double* v = values.data_ptr<double>();
    for (int64_t i = 0; i < rows; ++i) text += fmt::format("{},{}\n", v[2 * i], v[2 * i + 1]);
    write(name, text);
  }
};

// Each would take minutes or hours.
TEST_F(CliSignal, EndsAnyCommand) {
  write_plane("rows.csv", 20'000);
  const std::string law = "--target two-modes --process vp ";
  const std::string tight = " --rtol 1e-13 --atol 1e-13";
  expect_end(
      "sample " + law + "--n 100000 --steps 100000 --out s.npy --trajectory t.npy --trajectory-every 50000",
      SIGTERM);
  expect_end("sample " + law + "--n 100000 --sampler dopri5:rtol=1e-13,atol=1e-13 --out s.npy", SIGINT);
  expect_end("sample --target two-modes --sampler ula --n 100000 --steps 1000000 --out s.csv", SIGTERM);
  expect_end("likelihood " + law + "--data rows.csv --out l.csv --json" + tight, SIGTERM);
  expect_end("encode " + law + "--data rows.csv --out z.npy" + tight, SIGINT);
  expect_end("decode " + law + "--data rows.csv --out x.npy" + tight, SIGTERM);
  expect_end("interpolate " + law + "--data rows.csv --rows 0,1 --frames 500000 --out f.npy" + tight,
             SIGTERM);
  expect_end("score --target data:rows.csv --process vp --data rows.csv --time 0.9 --out s.csv --batch 1",
             SIGINT);
  expect_end(
      "simulate --target data:rows.csv --process vp --direction reverse --n 2000 --steps 20000 --out p.npy",
      SIGTERM);
  expect_end("evaluate --samples rows.csv --reference target:two-modes --n 100000 --json", SIGTERM);
  expect_end("plot convergence --target two-modes --samples 100000 --steps 2000,4000,8000 --out c.png",
             SIGINT);
  expect_end("verify --json --threads 1", SIGTERM);
}

TEST_F(CliSignal, EndsAGalleryWithWholePicturesOnly) {
  const Ended ended = interrupt("gallery --out pictures --threads 1 --quiet", {SIGTERM}, [&] {
    return fs::exists(folder_ / "pictures") && !fs::is_empty(folder_ / "pictures");
  });
  EXPECT_EQ(ended.code, 128 + SIGTERM);
  EXPECT_LT(ended.seconds, generous);
  for (const std::string& name : names())
    EXPECT_FALSE(fs::path(name).filename().string().starts_with(".")) << name;
  EXPECT_FALSE(fs::exists(folder_ / "pictures/index.html"));
}

TEST_F(CliSignal, EndsTrainingWithACheckpoint) {
  write_points(100);
  const std::string train =
      "train --data points.csv --out run --steps 100000000 --batch 16 --width 16 --quiet";
  const auto begun = [&] { return fs::exists(folder_ / "run/metrics.jsonl"); };
  EXPECT_EQ(interrupt(train, {SIGTERM}, begun).code, 143);
  EXPECT_FALSE(fs::is_empty(folder_ / "run/checkpoints"));
  EXPECT_EQ(run("sample run --n 5 --out x.csv --quiet").code, 0);
  // A launcher may send it twice at once, to the process and to its group.
  fs::remove_all(folder_ / "run");
  EXPECT_EQ(interrupt(train, {SIGTERM, SIGTERM}, begun, milliseconds(0)).code, 143);
  EXPECT_FALSE(fs::is_empty(folder_ / "run/checkpoints"));
  EXPECT_EQ(run("inspect run --quiet").code, 0);
}

// One of its steps takes seconds on any processor, and is not waited for.
TEST_F(CliSignal, EndsTrainingWithinAStep) {
  write_points(100);
  const std::string train =
      "train --data points.csv --out run --batch 250000 --width 256 --depth 4 --threads 1 --no-report";
  const auto begun = [&] { return fs::exists(folder_ / "run/config.toml"); };
  EXPECT_EQ(interrupt(train, {SIGTERM}, begun).code, 143);
  EXPECT_THAT(read_file(path("err.txt")), HasSubstr("SIGTERM: leaves this step"));
  EXPECT_TRUE(fs::exists(folder_ / "run/checkpoints/step-000000000"));
  EXPECT_EQ(run("inspect run --check --quiet").code, 0);
}

// Nothing that heeds a request runs while a file that nobody writes is opened: the process ends all the same.
TEST_F(CliSignal, EndsWhatDoesNotHeedIt) {
  ASSERT_EQ(::mkfifo(path("pipe.csv").c_str(), 0600), 0);
  expect_end("score --target two-modes --data pipe.csv --time 0.5 --out s.csv", SIGTERM);
  const Ended twice =
      interrupt("score --target two-modes --data pipe.csv --time 0.5 --out s.csv", {SIGINT, SIGINT});
  EXPECT_EQ(twice.code, 130);
  EXPECT_LT(twice.seconds, generous);
}

}  // namespace
}  // namespace fokker
