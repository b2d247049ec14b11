#include <csignal>
#include <cstdio>
#include <ctime>

#include "cli/command.h"
#include "fokker/core/error.h"

namespace fokker::cli {
namespace {

volatile std::sig_atomic_t signal_number = 0;

volatile std::sig_atomic_t signal_second = 0;

/// The first signal asks for an orderly stop. Launchers often send it twice at once (to the process and to
/// its group), so only one that comes later ends the process.
void remember(int number) {
  const auto now = static_cast<std::sig_atomic_t>(std::time(nullptr));
  if (signal_number == 0) {
    signal_number = number;
    signal_second = now;
  } else if (now > signal_second + 1) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

void print_result(const CommonOptions& common, const Json& json, const std::string& text) {
  const std::string line = common.json ? json_text(json) + "\n" : text;
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    fail(ErrorKind::resource, "standard output: cannot be written");
}

int caught_signal() {
  return signal_number;
}

void catch_signals() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
}

}  // namespace fokker::cli
