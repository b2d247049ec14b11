#include "fokker/core/file/leftovers.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

#include "fokker/core/error.h"

namespace fokker {
namespace fs = std::filesystem;
namespace {

/// Drawn once: tells this process from an earlier one of the same number.
const std::string& process_token() {
  static const std::string token = [] {
    uint64_t bits = 0;
    if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) {
      timespec now{};
      ::clock_gettime(CLOCK_REALTIME, &now);
      bits = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
    }
    return fmt::format("{:016x}", bits);
  }();
  return token;
}

fs::path hidden_beside(const fs::path& path, const char* kind) {
  static std::atomic<uint64_t> uses = 0;
  const std::string name =
      fmt::format(".{}.{}-{}-{}-{}", path.filename().string(), kind, ::getpid(), process_token(), uses++);
  // File systems allow 255 bytes.
  const size_t longest = 255;
  if (name.size() <= longest) return path.parent_path() / name;
  return path.parent_path() / ("." + name.substr(name.size() - longest + 1));
}

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// When a process began, in seconds since 1970; nothing where the system does not say (proc(5): field 22 of
/// stat).
std::optional<double> start_of(pid_t process) {
  std::ifstream in(fmt::format("/proc/{}/stat", process));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22 && fields >> field; ++i) continue;
  uint64_t ticks = 0;
  if (std::from_chars(field.data(), field.data() + field.size(), ticks).ec != std::errc()) return {};
  timespec now{}, since_boot{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0 || ::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0)
    return {};
  const double after_boot = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds_of(now) - seconds_of(since_boot) + after_boot;
}

/// Whether the process that made this name still runs: not merely one that has its number now.
bool is_owned(const fs::path& path, pid_t process, const std::string& rest) {
  return process == ::getpid() ? rest.starts_with("-" + process_token()) : still_runs(process, path);
}

std::optional<Leftover> parse_leftover(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with('.')) return {};
  for (const std::string kind : {".tmp-", ".old-", ".part-"}) {
    const size_t at = name.rfind(kind);
    if (at == std::string::npos || at <= 1) continue;
    pid_t process = 0;
    const char *first = name.data() + at + kind.size(), *last = name.data() + name.size();
    const auto [end, error] = std::from_chars(first, last, process);
    const std::string rest(end, last);
    const bool hex = rest.find_first_not_of("-x0123456789abcdef") == std::string::npos;
    if (error != std::errc() || process <= 0 || !hex || !(rest.empty() || rest[0] == '-')) continue;
    return Leftover{.path = path,
                    .meant = path.parent_path() / name.substr(1, at - 1),
                    .predecessor = kind == ".old-",
                    .owned = is_owned(path, process, rest)};
  }
  return {};
}

}  // namespace

bool still_runs(pid_t process, const fs::path& written) {
  if (::kill(process, 0) != 0 && errno == ESRCH) return false;
  struct stat status {};
  const auto start = start_of(process);
  if (!start || ::lstat(written.c_str(), &status) != 0) return true;
  return *start <= seconds_of(status.st_ctim) + 1;
}

fs::path temporary_beside(const fs::path& path) {
  return hidden_beside(path, "tmp");
}

fs::path predecessor_beside(const fs::path& path) {
  return hidden_beside(path, "old");
}

std::vector<Leftover> leftovers_in(const fs::path& folder) {
  std::vector<Leftover> found;
  std::error_code error;
  for (fs::directory_iterator at(folder.empty() ? fs::path(".") : folder, error), end; !error && at != end;
       at.increment(error))
    if (auto leftover = parse_leftover(folder / at->path().filename())) found.push_back(std::move(*leftover));
  return found;
}

}  // namespace fokker
