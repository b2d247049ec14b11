#pragma once
#include <atomic>

namespace fokker {

/// A wish that long work end early: of a person, a window that closes, a deadline.
class StopRequest {
 public:
  /// Safe in any thread and in a signal handler.
  void make() noexcept { made_.store(true, std::memory_order_relaxed); }
  bool made() const noexcept { return made_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> made_ = false;
};

/// While it lives, the work of this thread, and of the threads that run_jobs starts for it, heeds `request`,
/// which must outlive it; null: no request, so that the work runs to its end. Scopes nest.
class StopScope {
 public:
  explicit StopScope(const StopRequest* request) noexcept;
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  const StopRequest* before_;
};

/// What this thread's work heeds, or null.
const StopRequest* current_stop_request() noexcept;
/// Whether this thread's work is wished to end.
bool stop_requested() noexcept;
/// Throws an Error of kind `stopped` where it is. Samplers, chains, simulations, adaptive solvers, the flow's
/// likelihood, metrics, training, readers of data and writers of files call it between their steps, and
/// nothing that they were writing is left. `integrate` says in its message how many rows were finished and
/// which step the others had reached.
void check_stop();

}  // namespace fokker
