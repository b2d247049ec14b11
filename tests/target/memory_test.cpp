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

constexpr int64_t promised = 256'000'000;

/// The second call, as the kernels' copies are made in the first.
int64_t memory_of_posterior(const GaussianMixture& mixture, const Tensor& x, double sigma) {
  mixture.posterior(x, 1, sigma);
  return working_memory([&] { return mixture.posterior(x, 1, sigma); });
}

/// On four threads, as of a larger machine.
class GaussianMixtureMemory : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(4); }
  void TearDown() override { at::set_num_threads(threads_); }

  static Tensor weights(int64_t components) { return Rng(1).uniform({components}, {}, at::kDouble) + 0.5; }
  static Tensor means(int64_t components, int64_t dimension) {
    return Rng(2).normal({components, dimension}, {}, at::kDouble);
  }
  static GaussianMixture shared(int64_t components, int64_t dimension) {
    return {weights(components), means(components, dimension), at::full({}, 0.01, at::kDouble)};
  }

 private:
  int threads_ = at::get_num_threads();
};

// So far away that squares overflow, the plain softmax answers: as many components as one row's temporaries
// fill the promised memory, and so many dimensions that differences of means do.
TEST_F(GaussianMixtureMemory, OfThePlainSoftmaxIsBounded) {
  for (const auto& [k, d] : {std::pair<int64_t, int64_t>{2'000'000, 1}, {100'000, 16}}) {
    const GaussianMixture mixture = shared(k, d);
    const Tensor x = 1e200 * mixture.means().slice(0, 0, 4);
    EXPECT_LT(memory_of_posterior(mixture, x, 1e-200), promised) << k << " x " << d;
  }
}

// Beside the result, which is fifty megabytes itself and is held up to four times.
TEST_F(GaussianMixtureMemory, OfResponsibilitiesIsBounded) {
  constexpr int64_t k = 1'500'000, n = 4, result = 8 * k * n;
  const GaussianMixture mixture = shared(k, 2);
  const Tensor x = 1e200 * mixture.means().slice(0, 0, n);
  const int64_t used = working_memory([&] { return mixture.responsibilities(x); });
  EXPECT_LT(used, 3 * result + promised);
}

// Summed by the kernel, and, with a level of noise for each row or many dimensions, by tensor operations.
TEST_F(GaussianMixtureMemory, OfComponentsWithCovariancesOfTheirOwnIsBounded) {
  for (const auto& [k, d] : {std::pair<int64_t, int64_t>{100'000, 16}, {10'000, 100}}) {
    const Tensor m = means(k, d);
    const GaussianMixture mixture(weights(k), m, m.square() + 0.01);
    const Tensor x = m.slice(0, 0, 2) + 0.1;
    EXPECT_LT(memory_of_posterior(mixture, x, 0.5), promised) << k << " x " << d;
    const Tensor levels = at::full({2}, 0.5, at::kDouble), ones = at::ones_like(levels);
    EXPECT_LT(working_memory([&] { return mixture.posterior(x, ones, levels); }), promised)
        << k << " x " << d;
  }
}

}  // namespace
}  // namespace fokker
