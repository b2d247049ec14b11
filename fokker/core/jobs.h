#pragma once
#include <cstddef>
#include <functional>

namespace fokker {

/// Runs job(0), ..., job(count - 1), which are independent, on so many threads: the cores are used across
/// jobs, and tensor operations within one run on one thread. Jobs are begun in their order. After an error no
/// further job is begun, and the first error is thrown. Heeds the
/// caller's StopRequest between jobs, and within them. Argument error unless threads > 0.
void run_jobs(size_t count, int threads, const std::function<void(size_t index)>& job);

}  // namespace fokker
