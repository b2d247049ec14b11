#include "cli/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "fokker/core/check.h"
#include "fokker/core/file/unfinished.h"

namespace fokker::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Work that heeds the request ends in milliseconds; the rest, such as one large product, is not waited for.
constexpr auto patience = std::chrono::milliseconds(1000);
// Launchers send a signal twice at once, to the process and to its group: that is one request.
constexpr auto same_request = std::chrono::milliseconds(100);

StopRequest request;
StopRequest impatience;
volatile std::sig_atomic_t first_signal = 0;
std::atomic<int> orderly_ends = 0;
int signal_pipe[2];

void note_signal(int number) {
  const int code = errno;
  if (first_signal == 0) first_signal = number;
  request.make();
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(signal_pipe[1], &byte, 1);
  errno = code;
}

[[noreturn]] void end_now() {
  remove_unfinished();
  const std::string text = fmt::format("fokker: stopped by {}\n", caught_signal_name());
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  std::_Exit(128 + caught_signal());
}

/// Whether a signal came within the time.
bool wait_for_signal(int milliseconds) {
  pollfd ready{signal_pipe[0], POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) <= 0) return false;
  char byte;
  return ::read(signal_pipe[0], &byte, 1) == 1;
}

/// Nobody should wonder whether the signal was heard while something takes long.
void say_that_it_ends() {
  const std::string text = fmt::format(
      "fokker: {}: leaves this step, and ends with what is written then; a second signal ends it at once\n",
      caught_signal_name());
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

void watch_signals() {
  while (!wait_for_signal(-1)) {
  }
  bool said = false;
  for (const auto begin = Clock::now();;) {
    const bool again = wait_for_signal(50);
    const auto passed = Clock::now() - begin;
    if ((again && passed > same_request) || (orderly_ends == 0 && passed > patience)) end_now();
    if (passed > patience) impatience.make();
    if (passed > patience && !std::exchange(said, true)) say_that_it_ends();
  }
}

}  // namespace

const StopRequest& heed_signals() {
  if (::pipe2(signal_pipe, O_CLOEXEC) != 0)
    fail(ErrorKind::resource, "signals: no pipe: {}", std::strerror(errno));
  ::fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);  // a handler must not wait
  std::thread(watch_signals).detach();
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  // A limit on the size of files is then a write that fails, with an error of its own.
  ::signal(SIGXFSZ, SIG_IGN);
  return request;
}

int caught_signal() {
  return first_signal;
}

int stopped_code() {
  return 128 + (caught_signal() != 0 ? caught_signal() : SIGTERM);
}
const char* caught_signal_name() {
  return caught_signal() == SIGINT ? "SIGINT" : "SIGTERM";
}

const StopRequest& signal_request() {
  return request;
}
const StopRequest& impatient_request() {
  return impatience;
}

OrderlyEnd::OrderlyEnd() : no_request_(nullptr) {
  ++orderly_ends;
}
OrderlyEnd::~OrderlyEnd() {
  --orderly_ends;
}

}  // namespace fokker::cli
