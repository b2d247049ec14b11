#include "fokker/kernel/image/row_layer.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fokker/core/random/rng.h"
#include "support.h"

namespace fokker::kernel {
namespace {

class RowWeightGradient : public testing::TestWithParam<std::tuple<int64_t, int64_t, int64_t>> {};

// Rows that are parts of wider ones, as in maps that hold more channels.
TEST_P(RowWeightGradient, AgreesWithFloat64AndDoesNotDependOnThreads) {
  const auto [rows, inputs, outputs] = GetParam();
  const Tensor x = Rng(61).normal({rows, inputs + 3}), dy = Rng(62).normal({rows, outputs + 1}) + 0.5;
  const Tensor found = at::empty({outputs, inputs}), again = at::empty({outputs, inputs});
  const auto run = [&](const Tensor& to) {
    row_weight_gradient({x.data_ptr<float>() + 2, inputs + 3}, inputs,
                        {dy.data_ptr<float>() + 1, outputs + 1}, outputs, rows, to.data_ptr<float>());
  };
  run(found);
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 3 : 1);
  run(again);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(found, again));
  const auto part = [](const Tensor& t, int64_t first, int64_t count) {
    return t.to(at::kDouble).narrow(1, first, count);
  };
  const Tensor expected = at::matmul(part(dy, 1, outputs).t(), part(x, 2, inputs));
  EXPECT_LT(worst(found.to(at::kDouble), expected), 1e-6 * std::sqrt(static_cast<double>(rows)) * 10);
}

// One row and many parts of a sum, tiles that are cut on both sides.
INSTANTIATE_TEST_SUITE_P(Sizes, RowWeightGradient,
                         testing::Values(std::tuple{1, 1, 1}, std::tuple{300, 33, 29},
                                         std::tuple{49, 360, 40}, std::tuple{6000, 17, 5}));

}  // namespace
}  // namespace fokker::kernel
