#pragma once
#include "fokker/core/runtime.h"

namespace fokker::detail {

/// While it lives, tensor operations use so many threads; 0 leaves them as they are.
class ThreadCount {
 public:
  explicit ThreadCount(int64_t count) : before_(thread_count()) {
    if (count > 0) set_threads(count);
  }
  ~ThreadCount() {
    if (thread_count() != before_) set_threads(before_);
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

}  // namespace fokker::detail
