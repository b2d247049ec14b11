#include "cli/run/processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <thread>

#include "cli/signals.h"
#include "fokker/core/check.h"
#include "fokker/core/messages.h"
#include "fokker/distributed/connection.h"

extern char** environ;

namespace fokker::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* this_program = "/proc/self/exe";
// After one has ended badly: what the others need to notice and to say so; then they are asked, then ended.
constexpr auto until_asked = std::chrono::seconds(2), until_ended = std::chrono::seconds(5);

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes))
    fail(ErrorKind::resource, "launch: no random numbers: {}", std::strerror(errno));
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

/// This process's variables with others in their place.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& changed) {
  std::vector<std::string> all;
  for (char** at = environ; *at; ++at) {
    const std::string entry = *at;
    if (!changed.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
  }
  for (const auto& [name, value] : changed) all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

struct Worker {
  pid_t process = -1;
  std::optional<int> status = {};  ///< as waitpid says, once it has ended
  bool stopped = false;
};

/// What a worker does before it is the program: between fork and exec, so that only calls to the system are
/// made.
[[noreturn]] void become(char* const* arguments, char* const* variables, bool first, pid_t launcher) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launcher) ::_exit(1);  // it has ended already
  if (!first) {
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(this_program, arguments, variables);
  ::_exit(1);
}

class Workers {
 public:
  explicit Workers(const LaunchPlan& plan) {
    const int listening = detail::listen_at("127.0.0.1", 0);
    const std::string token = random_token();
    std::vector<std::string> arguments = plan.arguments;
    arguments.insert(arguments.begin(), "fokker");
    for (int64_t rank = 0; rank < plan.processes; ++rank) {
      std::map<std::string, std::string> changed{
          {"RANK", fmt::format("{}", rank)},
          {"LOCAL_RANK", fmt::format("{}", rank)},
          {"WORLD_SIZE", fmt::format("{}", plan.processes)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", fmt::format("{}", detail::port_of(listening))},
          {"FOKKER_TOKEN", token}};
      if (rank == 0) changed["FOKKER_LISTENING"] = fmt::format("{}", listening);
      if (plan.threads > 0) changed["OMP_NUM_THREADS"] = fmt::format("{}", plan.threads);
      ::fcntl(listening, F_SETFD, rank == 0 ? 0 : FD_CLOEXEC);
      start(arguments, environment_with(changed), rank == 0);
    }
    ::close(listening);
  }
  ~Workers() { send_all(SIGKILL); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void send_all(int signal) const {
    for (const Worker& worker : workers_)
      if (!worker.status) ::kill(worker.process, signal);
  }
  /// Takes note of those that have ended; true once all have.
  bool all_ended() {
    for (Worker& worker : workers_) {
      int status = 0;
      if (worker.status ||
          ::waitpid(worker.process, &status, WNOHANG | WUNTRACED | WCONTINUED) != worker.process)
        continue;
      worker.stopped = WIFSTOPPED(status);
      if (worker.stopped || WIFCONTINUED(status)) continue;
      worker.status = status;
      if (status != 0) order_.push_back(status);
      if (WIFSIGNALED(status) && !one_was_ended_)
        warn(fmt::format("rank {} was ended by signal {}", &worker - workers_.data(), WTERMSIG(status)));
    }
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const Worker& w) { return w.status.has_value(); });
  }
  bool one_ended_badly() const { return !order_.empty(); }
  /// Ends all, or those that are stopped, which nothing else reaches.
  void end(bool all) {
    for (const Worker& worker : workers_)
      if (!worker.status && (all || worker.stopped)) {
        one_was_ended_ = true;
        ::kill(worker.process, SIGKILL);
      }
  }

  /// An error of its own comes before the loss of a peer, which may be its consequence, and that before a
  /// stop.
  int worst() const {
    int lost = 0, stopped = 0;
    for (const int status : order_) {
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ErrorKind::peer_lost);
      if (code == static_cast<int>(ErrorKind::peer_lost))
        lost = code;
      else if (code < 128)
        return code;
      else
        stopped = code;
    }
    return lost != 0 ? lost : stopped;
  }

 private:
  void start(std::vector<std::string> arguments, std::vector<std::string> variables, bool first) {
    const auto argument_pointers = pointers(arguments), variable_pointers = pointers(variables);
    const pid_t launcher = ::getpid(), process = ::fork();
    if (process == 0) become(argument_pointers.data(), variable_pointers.data(), first, launcher);
    if (process < 0) fail(ErrorKind::resource, "launch: no more processes: {}", std::strerror(errno));
    workers_.push_back({.process = process});
  }

  std::vector<Worker> workers_;
  std::vector<int> order_;  ///< of those that ended badly, as they ended
  bool one_was_ended_ = false;
};

}  // namespace

int run_processes(const LaunchPlan& plan) {
  const OrderlyEnd end;
  Workers workers(plan);
  int passed_on = 0;
  bool asked = false;
  std::optional<Clock::time_point> bad_since;
  while (!workers.all_ended()) {
    if (const int signal = caught_signal(); signal != 0 && passed_on == 0)
      workers.send_all(passed_on = signal);
    if (workers.one_ended_badly() && !bad_since) bad_since = Clock::now();
    const auto since = bad_since ? Clock::now() - *bad_since : Clock::duration::zero();
    if (since > until_asked && !asked) {
      workers.send_all(SIGTERM);
      asked = true;
    }
    if (bad_since) workers.end(since > until_ended);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return workers.worst();
}

}  // namespace fokker::cli
