#include "fokker/train/prefetch.h"

#include <chrono>

#include "fokker/core/check.h"
#include "fokker/core/runtime.h"

namespace fokker {

Prefetch::Prefetch(std::function<Batch(int64_t step)> make, int64_t first, int64_t workers, int64_t ahead)
    : make_(std::move(make)), ahead_(ahead), wanted_(first), next_(first) {
  check(workers > 0 && ahead > 0, "Prefetch: expected workers and batches ahead but received {} and {}",
        workers, ahead);
  for (int64_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Prefetch::Made Prefetch::make_one(int64_t step) const {
  try {
    return {.batch = make_(step), .error = nullptr};
  } catch (...) {
    return {.batch = {}, .error = std::current_exception()};
  }
}

void Prefetch::work() {
  set_threads(1);
  const GradientMode no_gradients(false);
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [&] { return ending_ || next_ < wanted_ + ahead_; });
    if (ending_) return;
    const int64_t step = next_++, round = round_;
    lock.unlock();
    Made made = make_one(step);
    lock.lock();
    if (round != round_ || step < wanted_) continue;
    made_.insert_or_assign(step, std::move(made));
    done_.notify_all();
  }
}

Batch Prefetch::batch(int64_t step) {
  std::unique_lock lock(mutex_);
  if (step < wanted_ || step > next_) {
    made_.clear();
    next_ = step;
    ++round_;
  }
  wanted_ = step;
  made_.erase(made_.begin(), made_.lower_bound(step));
  room_.notify_all();
  ++waits_.asked;
  if (!made_.contains(step)) {
    const auto start = std::chrono::steady_clock::now();
    done_.wait(lock, [&] { return made_.contains(step); });
    ++waits_.waited;
    waits_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  const Made& made = made_.at(step);
  if (made.error) std::rethrow_exception(made.error);
  return made.batch;
}

Prefetch::Waits Prefetch::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_;
}

}  // namespace fokker
