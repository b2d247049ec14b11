#include "fokker/kernel/vector/scratch.h"

#include <array>
#include <new>

namespace fokker::kernel {
namespace {

constexpr std::align_val_t cache_line{64};

}  // namespace

void Buffer::Delete::operator()(void* memory) const {
  ::operator delete(memory, cache_line);
}

void* Buffer::reserve_bytes(int64_t count) {
  if (size_ < count) {
    memory_.reset();
    size_ = 0;
    memory_.reset(::operator new(static_cast<size_t>(count), cache_line));
    size_ = count;
  }
  return memory_.get();
}

Buffer& scratch_buffer(Scratch kind) {
  thread_local std::array<Buffer, 3> buffers;
  return buffers[static_cast<size_t>(kind)];
}

}  // namespace fokker::kernel
