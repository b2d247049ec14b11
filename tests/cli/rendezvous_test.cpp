// A rank that is killed, or stopped, while ranks still meet ends all that have come, or come later.
#include <signal.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/fixture.h"

namespace fokker {
namespace {

class CliRendezvous : public Cli {
 protected:
  static int port() { return 20'000 + ::getpid() % 10'000; }
  /// A rank of three that train without an end.
  pid_t begin_rank(int rank) const {
    const std::string line = fmt::format(
        "cd '{}' && RANK={} WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT={} exec '{}' train --data "
        "points.csv "
        "--out run --steps 10000000 --width 16 --depth 1 --timeout 12 --no-report --quiet 2>err.{} "
        "</dev/null",
        path(""), rank, port(), FOKKER_COMMAND, rank);
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      ::_exit(127);
    }
    return child;
  }
  /// How many connections rank 0 has, or are waiting for it.
  static int connections() {
    std::ifstream in("/proc/net/tcp");
    int count = 0;
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string number, local, remote, state;
      words >> number >> local >> remote >> state;
      count += local == fmt::format("0100007F:{:04X}", port()) && state == "01";
    }
    return count;
  }
  static int code_of(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Ranks 0 and 1 have met when the signal comes; rank 2 comes after it.
  void lose(int victim, int signal) const {
    write_points(20);
    const std::array<pid_t, 2> met = {begin_rank(0), begin_rank(1)};
    for (int i = 0; i < 20000 && connections() == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_GT(connections(), 0);
    ::kill(met[static_cast<size_t>(victim)], signal);
    const pid_t late = begin_rank(2);
    const std::string lost = fmt::format("rank {} was lost", victim);
    EXPECT_EQ(code_of(met[static_cast<size_t>(1 - victim)]), 6);
    EXPECT_THAT(read_file(path(fmt::format("err.{}", 1 - victim))), HasSubstr(lost));
    EXPECT_EQ(code_of(late), 6);
    // Where the others have ended before it comes, it finds no rank 0.
    EXPECT_THAT(read_file(path("err.2")), HasSubstr("was lost"));
    ::kill(met[static_cast<size_t>(victim)], SIGKILL);
    code_of(met[static_cast<size_t>(victim)]);
    EXPECT_FALSE(fs::exists(path("run")));
  }
};

TEST_F(CliRendezvous, AKilledRankEndsAll) {
  lose(1, SIGKILL);
}

TEST_F(CliRendezvous, AStoppedRankEndsAll) {
  lose(1, SIGSTOP);
}

TEST_F(CliRendezvous, AKilledFirstRankEndsAll) {
  lose(0, SIGKILL);
}

TEST_F(CliRendezvous, AStoppedFirstRankEndsAll) {
  lose(0, SIGSTOP);
}

}  // namespace
}  // namespace fokker
