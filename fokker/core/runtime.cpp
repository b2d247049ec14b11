#include "fokker/core/runtime.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <omp.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "fokker/core/check.h"

namespace fokker {
namespace {

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

/// A number of bytes in a file such as memory.max; infinite where there is none.
double bytes_in(const std::string& file) {
  std::ifstream in(file);
  double bytes = 0;
  return in >> bytes ? bytes : INFINITY;
}

/// Kilobytes that a line "NAME:  123 kB" of a file tells, in bytes.
double kilobytes_of(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string word; in >> word;)
    if (word == name) {
      double kilobytes = 0;
      return in >> kilobytes ? 1024 * kilobytes : INFINITY;
    }
  return INFINITY;
}

/// What a limit leaves beyond what is used.
double left_of(int resource, double used) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return INFINITY;
  return std::max(0.0, static_cast<double>(limit.rlim_cur) - used);
}

/// What a container may still take; files that the kernel keeps in memory for it can go.
double left_of_container() {
  const double most = bytes_in("/sys/fs/cgroup/memory.max");
  if (!std::isfinite(most)) return INFINITY;
  double used = bytes_in("/sys/fs/cgroup/memory.current"), files = 0;
  std::ifstream in("/sys/fs/cgroup/memory.stat");
  for (std::string word; in >> word;)
    if (word == "inactive_file") {
      in >> files;
      break;
    }
  return std::isfinite(used) ? std::max(0.0, most - used + files) : most;
}

}  // namespace

int64_t available_memory() {
  const char* status = "/proc/self/status";
  const double available = std::min({kilobytes_of("/proc/meminfo", "MemAvailable:"), left_of_container(),
                                     left_of(RLIMIT_DATA, kilobytes_of(status, "VmData:")),
                                     left_of(RLIMIT_AS, kilobytes_of(status, "VmSize:"))});
  return static_cast<int64_t>(std::min(available, 0x1p62));
}

int available_cores() {
  return std::max(1, static_cast<int>(std::min<double>(cores_of_mask(), std::ceil(quota()))));
}

void set_threads(int64_t threads) {
  check(threads >= 0 && threads <= 1024, "threads: expected 0 (all cores) to 1024 but received {}", threads);
  if (threads == 0 && std::getenv("OMP_NUM_THREADS")) return;
  at::get_num_threads();  // libtorch's own default is set by what asks first
  // Not at::set_num_threads: that makes a second pool of threads (XNNPACK's).
  omp_set_num_threads(threads > 0 ? static_cast<int>(threads) : available_cores());
}

int thread_count() {
  return at::get_num_threads();
}

void keep_freed_memory() {
#ifdef __GLIBC__
  // What is larger is mapped by itself, and unmapped; glibc takes no larger threshold.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

}  // namespace fokker
