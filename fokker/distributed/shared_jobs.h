#pragma once
#include <functional>

#include "fokker/distributed/ranks.h"

namespace fokker {

/// The `width` numbers that each of some independent jobs writes, (count, width) float64, on every rank:
/// ranks take turns, and each runs its jobs on its threads (run_jobs). All call it together; an error is that
/// of the first rank that has one.
Tensor shared_jobs(const Ranks& ranks, int64_t count, int64_t width,
                   const std::function<void(int64_t job, double* numbers)>& job);

}  // namespace fokker
