#include "fokker/core/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "fokker/core/device.h"
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

/// Cores of the affinity mask; what the kernel says of siblings, for libtorch's own count takes some virtual
/// machines' cores for hardware threads of one.
int cores_of_mask() {
  cpu_set_t mask;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0)
    return static_cast<int>(std::thread::hardware_concurrency());
  std::set<std::string> cores;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &mask)) continue;
    std::string siblings;
    std::getline(std::ifstream(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", i)),
                 siblings);
    cores.insert(siblings.empty() ? fmt::format("cpu {}", i) : siblings);
  }
  return static_cast<int>(cores.size());
}

/// Processor time a container may use, in cores; infinite without a quota.
double quota() {
  std::ifstream in("/sys/fs/cgroup/cpu.max");
  double time = 0, period = 0;
  return in >> time >> period && period > 0 ? time / period : INFINITY;
}

}  // namespace

int available_cores() {
  return std::max(1, static_cast<int>(std::min<double>(cores_of_mask(), std::ceil(quota()))));
}

Json machine() {
  Json json = {{"fokker", version()},
               {"libtorch", TORCH_VERSION},
               {"compiler", __VERSION__},
               {"system", system_text()},
               {"cpu", value_in("/proc/cpuinfo", "model name", ':')},
               {"cores", std::thread::hardware_concurrency()},
               {"memory_gib", std::round(10 * memory_gib()) / 10},
               {"threads", threads()}};
  return json;
}

}  // namespace fokker
