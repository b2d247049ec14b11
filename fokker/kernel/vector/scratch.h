#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace fokker::kernel {

// Working memory that outlives one use of it, so that loops do not return pages to the system and fetch them
// anew: a buffer of someone's own, a thread's, and objects that threads lend each other.

/// Memory that grows and is kept, uninitialised and aligned to a cache line; what it held before is lost
/// where it grows.
class Buffer {
 public:
  /// For at least `count` numbers.
  template <typename T = float>
  T* reserve(int64_t count) {
    return static_cast<T*>(reserve_bytes(count * static_cast<int64_t>(sizeof(T))));
  }

 private:
  struct Delete {
    void operator()(void* memory) const;
  };
  void* reserve_bytes(int64_t count);

  std::unique_ptr<void, Delete> memory_;
  int64_t size_ = 0;
};

/// What a thread's scratch memory is for: the holder of one may ask for the others. `factor`: a rounded
/// factor, for the time of one product.
enum class Scratch { shared, own, factor };

/// This thread's buffer of that kind.
Buffer& scratch_buffer(Scratch kind);

/// Memory of this thread for at least `count` numbers, uninitialised, until it asks for the same kind again.
template <typename T = float>
T* scratch(Scratch kind, int64_t count) {
  return scratch_buffer(kind).reserve<T>(count);
}

/// Objects that are used by one owner at a time and keep their memory in between. From any thread.
template <typename T>
class Pool {
 public:
  /// An object that comes back when its last owner lets go, which may be after the pool's end. A copy of the
  /// pool lends the same objects.
  std::shared_ptr<T> take() const {
    std::unique_ptr<T> object;
    {
      const std::lock_guard lock(free_->mutex);
      if (!free_->objects.empty()) {
        object = std::move(free_->objects.back());
        free_->objects.pop_back();
      }
    }
    if (!object) object = std::make_unique<T>();
    return {object.release(), [free = free_](T* used) {
              std::unique_ptr<T> back(used);
              const std::lock_guard lock(free->mutex);
              free->objects.push_back(std::move(back));
            }};
  }

 private:
  struct Free {
    std::mutex mutex;
    std::vector<std::unique_ptr<T>> objects;
  };
  std::shared_ptr<Free> free_ = std::make_shared<Free>();
};

}  // namespace fokker::kernel
