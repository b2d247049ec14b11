#include "fokker/kernel/vector/scratch.h"

#include <array>
#include <memory>
#include <new>

namespace fokker::kernel {
namespace {

constexpr std::align_val_t cache_line{64};

struct AlignedDelete {
  void operator()(float* memory) const { ::operator delete(memory, cache_line); }
};

struct Block {
  std::unique_ptr<float, AlignedDelete> memory;
  int64_t size = 0;
};

}  // namespace

float* scratch(Scratch kind, int64_t count) {
  thread_local std::array<Block, 2> blocks;
  Block& block = blocks[static_cast<size_t>(kind)];
  if (block.size < count) {
    block.memory.reset();
    block.size = 0;
    block.memory.reset(
        static_cast<float*>(::operator new(sizeof(float) * static_cast<size_t>(count), cache_line)));
    block.size = count;
  }
  return block.memory.get();
}

}  // namespace fokker::kernel
