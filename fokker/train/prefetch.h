#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "fokker/objective/objective.h"

namespace fokker {

/// Makes the batches of coming steps ahead, on threads of its own, so that a step need not wait for a disk or
/// a decoder. A batch is made by one thread and is what `make` gives of its step, whatever the number of
/// threads.
class Prefetch {
 public:
  /// `make` is called by several threads at once. Begins with the batch of `first`; at most `ahead` batches
  /// are kept. Argument error unless workers and ahead are positive.
  Prefetch(std::function<Batch(int64_t step)> make, int64_t first, int64_t workers, int64_t ahead);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The batch of a step, once it is made; what was thrown instead is thrown here. Steps follow one another,
  /// may come again, and may go back.
  Batch batch(int64_t step);
  /// How often a batch was not there yet when it was asked for, and the seconds spent waiting for it.
  struct Waits {
    int64_t asked = 0, waited = 0;
    double seconds = 0;
  };
  Waits waits() const;

 private:
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };
  void work();
  Made make_one(int64_t step) const;

  std::function<Batch(int64_t step)> make_;
  int64_t ahead_;
  mutable std::mutex mutex_;
  std::condition_variable room_, done_;
  int64_t wanted_, next_;  ///< the step asked for last, and the next to be begun
  int64_t round_ = 0;      ///< times that steps went back
  bool ending_ = false;
  std::map<int64_t, Made> made_;
  Waits waits_;
  std::vector<std::thread> threads_;
};

}  // namespace fokker
