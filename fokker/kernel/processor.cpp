#include "fokker/kernel/processor.h"

#include <ATen/Parallel.h>
#include <hwy/targets.h>

#include <algorithm>
#include <chrono>

#include "fokker/kernel/matrix/bf16_units.h"
#include "fokker/kernel/vector/scratch.h"

namespace fokker::kernel {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The least time of `work`, which runs for 0.2 s in all and three times at least.
template <typename Work>
double least_seconds(Work work) {
  double least = 1e300;
  const auto begin = Clock::now();
  for (int i = 0; i < 3 || seconds_since(begin) < 0.2; ++i) {
    const auto start = Clock::now();
    work();
    least = std::min(least, seconds_since(start));
  }
  return least;
}

}  // namespace

std::vector<std::string> processor_extensions() {
  std::vector<std::string> found;
#if defined(__x86_64__) && defined(__GNUC__)
  const auto add = [&](bool has, const char* name) {
    if (has) found.emplace_back(name);
  };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vnni"), "avx512_vnni");
  add(__builtin_cpu_supports("avx512bf16"), "avx512_bf16");
  add(has_bf16_tiles(), "amx_bf16");
#endif
  return found;
}

std::string vector_instructions() {
  const int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(targets & -targets);  // the lowest bit is the best
}

double product_rate(FactorPrecision precision) {
  constexpr int64_t rows = 192, size = 256, repeats = 8;
  const int threads = at::get_num_threads();
  std::vector<float> factor(size * size, 0.25f), left(rows * size, 0.5f);
  std::vector<float> memory(packed_factor_size(precision, size, size));
  const PackedFactor right = pack_factor(precision, {factor.data(), size, 1}, size, size, memory.data());
  const double seconds = least_seconds([&] {
    at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
      float* c = scratch(Scratch::own, rows * size);
      for (int64_t i = 0; i < (end - begin) * repeats; ++i)
        gemm({left.data(), size, 1}, rows, right, {}, c, size);
    });
  });
  return 2.0 * static_cast<double>(threads * repeats * rows * size * size) / seconds;
}

double triad_rate() {
  constexpr int64_t n = int64_t{1} << 25;  // 128 MiB each: some processors keep 32 in cache
  std::vector<float> a(n), b(n, 1), c(n, 2);
  const double seconds = least_seconds([&] {
    at::parallel_for(0, n, n / at::get_num_threads(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) a[i] = b[i] + 3 * c[i];
    });
  });
  return 3.0 * sizeof(float) * n / seconds;
}

}  // namespace fokker::kernel
