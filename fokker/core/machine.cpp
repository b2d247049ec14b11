#include "fokker/core/machine.h"

#include <sys/utsname.h>
#include <torch/version.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "fokker/core/runtime.h"
#include "fokker/core/version.h"

namespace fokker {
namespace {

/// The value of the first line "key<separator>value" of a file such as /proc/cpuinfo, or "".
std::string value_in(const char* file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const size_t at = line.find(separator);
    if (!line.starts_with(key) || at == std::string::npos) continue;
    const size_t start = line.find_first_not_of(" \t\"", at + 1);
    return start == std::string::npos ? "" : line.substr(start, line.find_last_not_of(" \t\"") + 1 - start);
  }
  return {};
}

std::string system_text() {
  utsname kernel{};
  const std::string name = value_in("/etc/os-release", "PRETTY_NAME", '=');
  if (::uname(&kernel) != 0) return name;
  return fmt::format("{}{}{} {}, {}", name, name.empty() ? "" : ", ", kernel.sysname, kernel.release,
                     kernel.machine);
}

double memory_gib() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE)) /
         (1u << 30);
}

}  // namespace

Json machine() {
  Json json = {{"fokker", library_version()},
               {"libtorch", TORCH_VERSION},
               {"compiler", __VERSION__},
               {"system", system_text()},
               {"cpu", value_in("/proc/cpuinfo", "model name", ':')},
               {"cores", std::thread::hardware_concurrency()},
               {"memory_gib", std::round(10 * memory_gib()) / 10},
               {"threads", thread_count()}};
  return json;
}

}  // namespace fokker
