// How long ranks take to add up vectors, by their size: `fokker launch` of this machine, or any launcher's
// variables.
//   bench_exchange [REPEATS]   prints, on rank 0, one JSON object: ranks, and of each size bytes and seconds.
// Each is the median over the repeats of what rank 0 waited, begun by all at the same moment: begun at once,
// and in the buckets of training. Beside them what a step of AdamW takes by itself, for each parameter of a
// large network.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fokker/core/runtime.h"
#include "fokker/distributed/partwise_sum.h"
#include "fokker/kernel/vector/adamw.h"

namespace {

using namespace fokker;

double seconds_of(const Ranks& ranks, const Tensor& values, int64_t bucket) {
  ranks.sum(0.0);  // together
  const auto begin = std::chrono::steady_clock::now();
  PartwiseSum sum(ranks, values);
  for (int64_t first = 0; first < values.numel(); first += bucket)
    sum.begin(first, std::min(bucket, values.numel() - first));
  sum.finish();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median_of(const Ranks& ranks, int64_t numbers, int64_t bucket, int64_t repeats) {
  const Tensor values = at::ones({numbers});
  std::vector<double> times;
  for (int64_t i = 0; i < repeats + 2; ++i) {
    values.fill_(1);
    times.push_back(seconds_of(ranks, values, bucket));
  }
  std::sort(times.begin() + 2, times.end());
  return times[static_cast<size_t>(2 + repeats / 2)];
}

double adamw_seconds(int64_t numbers) {
  const Tensor values = at::ones({numbers}), gradient = at::ones({numbers}), first = at::ones({numbers}),
               second = at::ones({numbers}), average = at::ones({numbers});
  double best = 1e9;
  for (int64_t step = 1; step <= 5; ++step) {
    const auto begin = std::chrono::steady_clock::now();
    kernel::adamw_step({values, gradient, first, second, average}, {.learning_rate = 1e-3, .step = step});
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best / static_cast<double>(numbers);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int64_t repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 30;
    set_threads(1);
    const Ranks ranks = Ranks::join(place_in_environment());
    if (ranks.alone()) {
      std::fputs("bench_exchange: expected several ranks (RANK, WORLD_SIZE)\n", stderr);
      return 2;
    }
    Json found = {{"ranks", ranks.size()}, {"sizes", Json::array()}};
    for (const int64_t numbers : {1, 1'000, 30'000, 157'574, 640'000, 2'500'000, 10'000'000}) {
      const int64_t bucket = ranks.size() << 17;
      found["sizes"].push_back({{"bytes", 4 * numbers},
                                {"seconds", median_of(ranks, numbers, numbers, repeats)},
                                {"seconds_in_buckets", median_of(ranks, numbers, bucket, repeats)}});
    }
    found["adamw_seconds_of_a_parameter"] = adamw_seconds(10'000'000);
    if (ranks.root()) std::printf("%s\n", json_text(found).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_exchange: %s\n", error.what());
    return 1;
  }
}
