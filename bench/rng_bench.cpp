// Throughput of the counter-based generator, in numbers a second, beside the tensor library's own.
#include <benchmark/benchmark.h>

#include "fokker/core/rng.h"

namespace fokker {
namespace {

void counter_based_normal(benchmark::State& state) {
  const Rng rng(0);
  uint32_t step = 0;
  for (auto _ : state) benchmark::DoNotOptimize(rng.normal({state.range(0), 64}, {.step = ++step}));
  state.SetItemsProcessed(state.iterations() * state.range(0) * 64);
}
BENCHMARK(counter_based_normal)->Arg(64)->Arg(16384)->UseRealTime();

void tensor_library_normal(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(at::randn({state.range(0), 64}));
  state.SetItemsProcessed(state.iterations() * state.range(0) * 64);
}
BENCHMARK(tensor_library_normal)->Arg(64)->Arg(16384)->UseRealTime();

}  // namespace
}  // namespace fokker
