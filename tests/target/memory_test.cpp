// Working memory of the exact denoiser with many components, in bytes that tensors ask for.
#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <gtest/gtest.h>

#include <atomic>

#include "fokker/core/random/rng.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker {
namespace {

/// Counts what is alive: the size of a piece stands before it.
class CountingAllocator final : public at::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) const override {
    auto* base = static_cast<char*>(c10::alloc_cpu(bytes + header));
    *reinterpret_cast<size_t*>(base) = bytes;
    const int64_t now = alive += static_cast<int64_t>(bytes);
    int64_t before = peak;
    while (now > before && !peak.compare_exchange_weak(before, now)) {
    }
    return {base + header, base + header, &release, at::Device(at::kCPU)};
  }
  at::DeleterFnPtr raw_deleter() const override { return &release; }

  static inline std::atomic<int64_t> alive{0}, peak{0};

 private:
  static constexpr size_t header = 64;
  static void release(void* data) {
    if (data == nullptr) return;
    char* base = static_cast<char*>(data) - header;
    alive -= static_cast<int64_t>(*reinterpret_cast<size_t*>(base));
    c10::free_cpu(base);
  }
};

/// The most that is alive during `work` beyond what was before and what its result keeps.
template <typename Work>
int64_t working_memory(const Work& work) {
  static CountingAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/255);
  CountingAllocator::peak = CountingAllocator::alive.load();
  const int64_t before = CountingAllocator::alive;
  const auto result = work();
  const int64_t peak = CountingAllocator::peak, kept = CountingAllocator::alive - before;
  c10::SetCPUAllocator(c10::GetDefaultCPUAllocator(), 255);
  return peak - before - kept;
}

constexpr int64_t components = 300'000, promised = 256'000'000;

/// The second call, as the kernels' copies are made in the first.
int64_t memory_of_posterior(const GaussianMixture& mixture, const Tensor& x, double sigma) {
  mixture.posterior(x, 1, sigma);
  return working_memory([&] { return mixture.posterior(x, 1, sigma); });
}

// On eight threads, as of a larger machine. So far away that squares overflow, the plain softmax answers.
TEST(GaussianMixtureMemory, IsBoundedWithManyComponents) {
  const int threads = at::get_num_threads();
  at::set_num_threads(8);
  const Tensor weights = Rng(1).uniform({components}, {}, at::kDouble) + 0.5;
  const Tensor plane = Rng(2).normal({components, 2}, {}, at::kDouble);
  const GaussianMixture shared(weights, plane, at::full({}, 0.01, at::kDouble));
  EXPECT_LT(memory_of_posterior(shared, 1e200 * plane.slice(0, 0, 64), 1e-200), promised);
  const Tensor means = Rng(3).normal({components, 16}, {}, at::kDouble);
  const GaussianMixture own(weights, means, means.square() + 0.01);
  EXPECT_LT(memory_of_posterior(own, means.slice(0, 0, 16) + 0.1, 0.5), promised);
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace fokker
