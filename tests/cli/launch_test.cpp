// Several processes of one run: what they compute is what one does, and the loss of any ends all.
#include <fcntl.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "cli/fixture.h"
#include "fokker/train/run_folder.h"

namespace fokker {
namespace {

using std::chrono::milliseconds;
using ::testing::ContainsRegex;

constexpr const char* small_network = "--width 16 --depth 1 --no-report --quiet";

class CliLaunch : public Cli {
 protected:
  /// A training of two ranks without an end; it is left once it has this checkpoint.
  pid_t begin_training(const std::string& options, const std::string& checkpoint) const {
    write_points(200);
    const pid_t launcher = begin(fmt::format(
        "launch --processes 2 -- train --data points.csv --out run --steps 10000000 --timeout 8 {} {}",
        small_network, options));
    for (int i = 0; i < 12000 && !fs::exists(path("run/checkpoints/" + checkpoint)); ++i)
      std::this_thread::sleep_for(milliseconds(10));
    EXPECT_TRUE(fs::exists(path("run/checkpoints/" + checkpoint))) << read_file(path("err.txt"));
    return launcher;
  }
  /// The processes that it has started: of `launch`, in the order of their ranks.
  static std::vector<pid_t> children_of(pid_t process) {
    std::ifstream text(fmt::format("/proc/{0}/task/{0}/children", process));
    std::vector<pid_t> children;
    for (pid_t child = 0; text >> child;) children.push_back(child);
    return children;
  }
  /// Other points of the same law.
  void write_held() const {
    std::string text = "a,b\n";
    const Tensor values = Rng(4).normal({50, 2}, {}, at::kDouble);
    for (int i = 0; i < 50; ++i)
      text += fmt::format("{},{}\n", values[i][0].item<double>() * 1e-3, 1e5 + values[i][1].item<double>());
    write("held.csv", text);
  }
  static int wait_for(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Gone, or only waiting to be asked for its status by a parent that is not ours.
  static bool is_gone(pid_t process) {
    for (int i = 0; i < 500; ++i) {
      const std::string file = fmt::format("/proc/{}/stat", process);
      if (::kill(process, 0) != 0) return true;
      std::ifstream in(file);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      if (text.empty() || text.find(") Z ") != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  /// Sends a signal to a rank; all must end with exit code 6 and leave a run that is whole.
  std::string lose(size_t rank, int signal, const std::string& options, const std::string& checkpoint) const {
    const pid_t launcher = begin_training(options, checkpoint);
    const auto ranks = children_of(launcher);
    EXPECT_EQ(ranks.size(), 2U);
    ::kill(ranks.size() == 2 ? ranks[rank] : launcher, signal);
    EXPECT_EQ(wait_for(launcher), 6);
    for (const pid_t process : ranks) EXPECT_TRUE(is_gone(process));
    std::string said = read_file(path("err.txt"));
    EXPECT_EQ(run("inspect run --check").code, 0) << read_file(path("err.txt"));
    return said;
  }
  std::vector<double> losses(const std::string& run) const {
    std::vector<double> losses;
    for (const TrainMetrics& line : RunFolder(path(run)).metrics()) losses.push_back(line.loss);
    return losses;
  }
};

TEST_F(CliLaunch, TrainsAndSamplesAsOneProcessDoes) {
  write_points(200);
  const std::string train =
      fmt::format("train --data points.csv --steps 100 --batch 31 --json {}", small_network);
  ASSERT_EQ(run(train + " --out one").code, 0) << read_file(path("err.txt"));
  const Outcome two = run("launch --processes 2 -- " + train + " --out two");
  ASSERT_EQ(two.code, 0) << two.err;
  EXPECT_TRUE(Json::parse(two.out, nullptr, false).is_object()) << "one rank speaks: " << two.out;
  EXPECT_EQ(two.err, "");
  const auto alone = losses("one"), among = losses("two");
  ASSERT_GT(alone.size(), 1U);
  ASSERT_EQ(among.size(), alone.size());
  for (size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(among[i] / alone[i], 1, 1e-5);
  ASSERT_EQ(run("sample one --n 1000 --out 1.npy --quiet").code, 0);
  for (const int processes : {2, 3}) {
    const Outcome shared =
        run(fmt::format("launch --processes {0} -- sample one --n 1000 --out {0}.npy --quiet", processes));
    ASSERT_EQ(shared.code, 0) << shared.err;
    EXPECT_EQ(read_file(path(fmt::format("{}.npy", processes))), read_file(path("1.npy"))) << processes;
  }
}

/// The same bytes on standard output and in the file, of one process and of several.
TEST_F(CliLaunch, MeasuresAndCarriesAsOneProcessDoes) {
  write_points(60);
  ASSERT_EQ(run(fmt::format("train --data points.csv --steps 20 --out run {}", small_network)).code, 0);
  ASSERT_EQ(run("encode run --data points.csv --out latents.npy --quiet").code, 0);
  write_held();
  const std::vector<std::pair<std::string, std::string>> commands = {
      {"likelihood run --data points.csv --batch 9 --json --quiet --out", "npy"},
      {"likelihood run --data points.csv --batch 9 --method elbo --steps 20 --json --quiet --out", "csv"},
      {"score run --data points.csv --batch 9 --time 0.3 --quiet --out", "csv"},
      {"encode run --data points.csv --batch 9 --quiet --out", "npy"},
      {"decode run --data latents.npy --batch 9 --quiet --out", "csv"},
      {"evaluate --samples points.csv --reference held.csv --json --quiet", ""}};
  for (const auto& [command, extension] : commands) {
    const auto made = [&](int processes) {
      const std::string out = extension.empty() ? "" : fmt::format("o{}.{}", processes, extension);
      const std::string launch = processes > 1 ? fmt::format("launch --processes {} -- ", processes) : "";
      const Outcome outcome = run(launch + command + " " + out);
      EXPECT_EQ(outcome.code, 0) << command << outcome.err;
      EXPECT_EQ(outcome.err, "") << command;
      EXPECT_FALSE(outcome.out.empty() && out.empty()) << command;
      const std::string said = outcome.out.substr(0, outcome.out.find("\"out\""));
      return out.empty() ? said : said + read_file(path(out));
    };
    const std::string alone = made(1);
    for (const int processes : {2, 3}) EXPECT_EQ(made(processes), alone) << command << processes;
  }
}

TEST_F(CliLaunch, ABadRowIsNamedAsOneProcessNamesIt) {
  write_points(20);
  ASSERT_EQ(run(fmt::format("train --data points.csv --steps 5 --out run {}", small_network)).code, 0);
  std::string text = "a,b\n";
  for (int i = 0; i < 40; ++i) text += i == 23 || i == 31 ? "1e300,1e300\n" : "0.001,100000\n";
  write("far.csv", text);
  const std::string command = "likelihood run --data far.csv --batch 5 --quiet";
  const Outcome alone = run(command), shared = run("launch --processes 2 -- " + command);
  EXPECT_EQ(alone.code, 3);
  EXPECT_EQ(shared.code, 3);
  EXPECT_THAT(alone.err, HasSubstr("far.csv: row 23 (from 0)"));
  EXPECT_THAT(shared.err, HasSubstr(alone.err));
}

TEST_F(CliLaunch, AKilledRankEndsAll) {
  const std::string said = lose(1, SIGKILL, "--checkpoint-every 50", "step-000000050");
  EXPECT_THAT(
      said,
      ContainsRegex("fokker: rank 1 was lost: it has ended, or its connection is cut; the last checkpoint "
                    "is that of step [0-9]*: continue with --resume"));
  EXPECT_THAT(said, HasSubstr("rank 1 was ended by signal 9"));
}

TEST_F(CliLaunch, AKilledFirstRankEndsAll) {
  const std::string said = lose(0, SIGKILL, "--checkpoint-every 50", "step-000000100");
  EXPECT_THAT(said,
              HasSubstr("fokker: rank 1: rank 0 was lost: it has ended, or its connection is cut; the last"));
}

TEST_F(CliLaunch, AStoppedRankEndsAll) {
  const std::string said = lose(1, SIGSTOP, "--checkpoint-every 50", "step-000000050");
  EXPECT_THAT(said, ContainsRegex(
                        "fokker: rank 1 was lost: no sign of life for 6 s; the last checkpoint is that of"));
}

/// With a checkpoint and a preview at every step nearly all time is spent in a save.
TEST_F(CliLaunch, AFirstRankStoppedInASaveEndsAll) {
  const std::string said = lose(0, SIGSTOP, "--checkpoint-every 1", "step-000000003");
  EXPECT_THAT(
      said,
      HasSubstr("fokker: rank 1: rank 0 was lost: no sign of life for 6 s; the last checkpoint is that of"));
}

TEST_F(CliLaunch, AFirstRankKilledInASaveEndsAll) {
  const std::string said = lose(0, SIGKILL, "--checkpoint-every 1", "step-000000003");
  EXPECT_THAT(said, HasSubstr("fokker: rank 1: rank 0 was lost: it has ended"));
}

TEST_F(CliLaunch, ARankKilledInASaveEndsAll) {
  const std::string said = lose(1, SIGKILL, "--checkpoint-every 1", "step-000000003");
  EXPECT_THAT(said, HasSubstr("fokker: rank 1 was lost: it has ended"));
}

TEST_F(CliLaunch, ARankThatDoesNotArriveIsNamed) {
  write_points(20);
  const Outcome outcome = run("train --data points.csv --out run --timeout 3",
                              fmt::format("env RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT={}",
                                          20000 + ::getpid() % 10000));
  EXPECT_EQ(outcome.code, 6);
  EXPECT_THAT(outcome.err, HasSubstr("fokker: rank 1 was lost: it did not arrive within 3 s (1 of 2 did)"));
  EXPECT_FALSE(fs::exists(path("run")));
}

TEST_F(CliLaunch, ASignalIsPassedOnAndEndsInACheckpoint) {
  const pid_t launcher = begin_training("--checkpoint-every 50", "step-000000050");
  const auto ranks = children_of(launcher);
  ::kill(launcher, SIGTERM);
  EXPECT_EQ(wait_for(launcher), 143);
  for (const pid_t process : ranks) EXPECT_TRUE(is_gone(process));
  EXPECT_EQ(run("inspect run --check").code, 0);
}

TEST_F(CliLaunch, NoRankOutlivesTheLauncher) {
  const pid_t launcher = begin_training("--checkpoint-every 50", "step-000000050");
  const auto ranks = children_of(launcher);
  ASSERT_EQ(ranks.size(), 2U);
  ::kill(launcher, SIGKILL);
  wait_for(launcher);
  for (const pid_t process : ranks) EXPECT_TRUE(is_gone(process));
}

TEST_F(CliLaunch, TheCauseIsTheExitCode) {
  const Outcome outcome = run("launch --processes 2 -- train --data missing.csv --out run");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("missing.csv"));
}

TEST_F(CliLaunch, RefusesWhatMakesNoSense) {
  expect_refusal("launch --processes 0 -- train --data a.csv --out run", 2, "processes: expected 1 to 1024");
  expect_refusal("launch --processes 2", 2, "launch: expected a command after --");
  expect_refusal("launch --processes 2 -- verify", 2, "several processes cannot share the work of 'verify'");
  // Without launch: each would do all the work, and write over the others' files.
  for (const std::string command :
       {"inspect run", "verify", "simulate --direction forward --target two-modes --out x.npy", "doctor"}) {
    const Outcome refused = run(command, "env RANK=1 WORLD_SIZE=2");
    EXPECT_EQ(refused.code, 2) << command;
    EXPECT_EQ(
        refused.err,
        fmt::format("fokker: this is process 1 of 2 (RANK, WORLD_SIZE), and several processes cannot share "
                    "the work of '{}'; expected one process, or one of: train, sample, likelihood, score, "
                    "encode, decode, evaluate\n",
                    command.substr(0, command.find(' '))));
  }
  EXPECT_EQ(run("doctor", "env RANK=0 WORLD_SIZE=1").code, 0);
  EXPECT_EQ(run("doctor", "env RANK=3").code, 0) << "another program's";
  const Outcome outcome = run("train --data a.csv --out run", "env RANK=2 WORLD_SIZE=2");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "fokker: RANK: expected a number below WORLD_SIZE = 2 but received 2\n");
}

}  // namespace
}  // namespace fokker
