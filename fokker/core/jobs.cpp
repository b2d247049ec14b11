#include "fokker/core/jobs.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "fokker/core/check.h"
#include "fokker/core/stop.h"

namespace fokker {
namespace {

class SingleThreaded {
 public:
  SingleThreaded() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~SingleThreaded() { at::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

void run_jobs(size_t count, int threads, const std::function<void(size_t index)>& job) {
  check(threads > 0, "run_jobs: expected at least one thread but received {}", threads);
  const SingleThreaded guard;
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const StopRequest* request = current_stop_request();
  const auto work = [&] {
    const StopScope scope(request);
    at::set_num_threads(1);
    for (size_t i; (i = next++) < count;) try {
        check_stop();
        job(i);
      } catch (...) {
        next = count;
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
  };
  std::vector<std::jthread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(work);
  work();
  workers.clear();
  if (error) std::rethrow_exception(error);
}

}  // namespace fokker
