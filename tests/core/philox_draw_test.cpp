// What a CUDA kernel computes, in its own code on the processor: block by block, in any order.
#include "fokker/core/random/philox_draw.h"

#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker {
namespace {

template <typename T>
Tensor stored(const Rng& rng, int64_t rows, int64_t columns, DrawPosition position) {
  // The key of a generator is mixed from its seed and its stream, as rng.cpp does.
  const auto seed = static_cast<uint32_t>(rng.seed());
  const PhiloxWords key = philox_words({{0, 0, 0x666F6B6Bu, 0x65720000u}}, seed, 0);
  const PhiloxDraw draw = with_shared_blocks<T>({.key = {key.word[0], key.word[1]},
                                                 .step = static_cast<uint32_t>(position.step),
                                                 .first_sample = static_cast<uint64_t>(position.first_sample),
                                                 .columns = columns,
                                                 .skipped = 0,
                                                 .count = rows * columns});
  std::vector<T> out(rows * columns + 2, T(-99));
  for (int64_t i = draw.blocks<T>(); i-- > 0;) store_normals(draw, i, out.data() + 1);
  EXPECT_EQ(out.front(), T(-99));
  EXPECT_EQ(out.back(), T(-99));
  return at::tensor(at::ArrayRef<T>(out)).narrow(0, 1, rows * columns).reshape({rows, columns}).clone();
}

TEST(PhiloxDraw, NormalsAreTheGeneratorsOwn) {
  const Rng rng(3);
  for (const int64_t columns : {1, 2, 3, 4, 5, 64})
    for (const int64_t first : {0, 1, 5, 1026})
      for (const int64_t rows : {1, 3, 50}) {
        const DrawPosition position{.first_sample = first, .step = 2};
        SCOPED_TRACE(fmt::format("{} rows of {} from {}", rows, columns, first));
        EXPECT_LT(worst(stored<float>(rng, rows, columns, position), rng.normal({rows, columns}, position)),
                  1.5e-6);
        EXPECT_LT(worst(stored<double>(rng, rows, columns, position),
                        rng.normal({rows, columns}, position, at::kDouble)),
                  1e-14);
      }
}

}  // namespace
}  // namespace fokker
