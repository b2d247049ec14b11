// The command `fokker`. Loading libtorch costs a good part of a second, for which some answers need not wait:
// help and version, whose texts were taken from the engine when it was built, and `inspect` of a model whose
// files are as this version writes them. Everything else is the engine's.
// Libraries read how their threads wait when they are loaded, so that is said here too.
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "cli/launcher/recorded_model.h"
#include "fokker/core/environment.h"

namespace {

struct HelpText {
  std::string_view command;  // or --version; "" is fokker itself
  std::string_view text;
};

constexpr HelpText help_texts[] = {
#include FOKKER_HELP_TEXTS
};

bool asks_help(std::string_view argument) {
  return argument == "--help" || argument == "-h";
}

/// What to print where the arguments ask for help or the version, else nothing.
std::string_view known_answer(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) return {};
  const bool top = asks_help(arguments[0]);
  bool asked = arguments[0] == "--version";
  for (const auto argument : arguments) asked = asked || asks_help(argument);
  if (!asked) return {};
  for (const auto& [command, text] : help_texts)
    if (command == (top ? std::string_view() : arguments[0])) return text;
  return {};
}

/// What `inspect FOLDER [--json]` prints, where its files suffice to say it, else nothing.
std::string description(const std::vector<std::string_view>& arguments) {
  const bool json = arguments.size() == 3 && arguments[2] == "--json";
  if (arguments.size() < 2 || arguments[0] != "inspect" || arguments[1].starts_with('-')) return {};
  if (arguments.size() > 2 && !json) return {};
  if (std::getenv("WORLD_SIZE")) return {};  // of several processes, which the engine refuses
  const auto model = fokker::cli::recorded_model(arguments[1]);
  if (!model) return {};
  const fokker::cli::Report report = report_of(*model);
  return json ? fokker::json_text(report.json) + "\n" : report.text;
}

int print(std::string_view answer) {
  const bool written =
      std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() && std::fflush(stdout) == 0;
  if (!written) std::fprintf(stderr, "fokker: standard output: %s\n", std::strerror(errno));
  return written ? 0 : 5;
}

/// Beside this program in a build folder, or where the installation puts it.
std::filesystem::path engine() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto beside = self / "fokker-engine";
  return std::filesystem::exists(beside, error) ? beside : self / FOKKER_ENGINE_FROM_BIN;
}

/// Whether this process may not have the memory that loading libtorch takes, of which the loader would say
/// little.
bool lacks_memory() {
  constexpr rlim_t least = rlim_t{300} << 20;
  rlimit limit{};
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < least;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write that fails is told, and the engine inherits it
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (const auto answer = known_answer(arguments); !answer.empty()) return print(answer);
  if (const std::string answer = description(arguments); !answer.empty()) return print(answer);
  if (lacks_memory()) {
    std::fprintf(stderr, "fokker: out of memory: the limit on this process (ulimit -v) is below 300 MB\n");
    return 5;
  }
  fokker::set_thread_environment();
  const auto program = engine();
  execv(program.c_str(), argv);
  std::fprintf(stderr, "fokker: %s: %s (reinstall fokker)\n", program.c_str(), std::strerror(errno));
  return 1;
}
