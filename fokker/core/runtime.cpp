#include "fokker/core/runtime.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <omp.h>
#include <sched.h>

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

}  // namespace

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
