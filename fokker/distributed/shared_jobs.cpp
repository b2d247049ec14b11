#include "fokker/distributed/shared_jobs.h"

#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"

namespace fokker {

Tensor shared_jobs(const Ranks& ranks, int64_t count, int64_t width,
                   const std::function<void(int64_t job, double* numbers)>& job) {
  // Jobs that come later are often smaller (the rows of a triangle), so ranks take them in turns.
  const int64_t size = ranks.size(), own = (count - ranks.rank() + size - 1) / size;
  const Tensor numbers = at::zeros({own, width}, at::TensorOptions(at::kDouble));
  auto* const first = numbers.data_ptr<double>();
  ranks.on_each([&] {
    run_jobs(static_cast<size_t>(own), thread_count(), [&](size_t i) {
      const auto place = static_cast<int64_t>(i);
      job(ranks.rank() + place * size, first + place * width);
    });
  });
  if (ranks.alone()) return numbers;
  const Tensor gathered = ranks.gather_rows(numbers), ordered = at::empty_like(gathered);
  for (int64_t rank = 0, from = 0; rank < size; ++rank) {
    const int64_t part = (count - rank + size - 1) / size;
    ordered.slice(0, rank, count, size).copy_(gathered.narrow(0, from, part));
    from += part;
  }
  return ordered;
}

}  // namespace fokker
