#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "fokker/kernel/matrix/gemm.h"

namespace fokker::kernel {
namespace {

class GemmPack : public testing::TestWithParam<std::tuple<int64_t, int64_t>> {};

// Contiguous rows, contiguous columns and neither, each by its own loop.
TEST_P(GemmPack, LaysOutPanelsWithZerosBehindTheLastColumn) {
  const auto [rows, columns] = GetParam();
  std::vector<float> a(2 * (rows + 3) * (columns + 3));
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i + 1);
  for (const MatrixView view : {MatrixView{a.data(), columns + 3, 1}, MatrixView{a.data(), 1, rows + 3},
                                MatrixView{a.data(), 2 * (columns + 3), 2}}) {
    std::vector<float> panels(packed_size(rows, columns), -1.0f);
    const PackedMatrix packed = pack_matrix(view, rows, columns, panels.data());
    EXPECT_EQ(packed.rows, rows);
    EXPECT_EQ(packed.columns, columns);
    for (size_t at = 0; at < panels.size(); ++at) {
      const auto panel = static_cast<int64_t>(at) / (rows * gemm_panel);
      const int64_t i = static_cast<int64_t>(at) / gemm_panel % rows,
                    j = panel * gemm_panel + static_cast<int64_t>(at) % gemm_panel;
      const float expected = j < columns ? view.data[i * view.row_stride + j * view.column_stride] : 0.0f;
      ASSERT_EQ(panels[at], expected) << i << ", " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, GemmPack,
                         testing::Values(std::tuple{1, 1}, std::tuple{3, 16}, std::tuple{8, 32},
                                         std::tuple{7, 40}, std::tuple{13, 17}));

}  // namespace
}  // namespace fokker::kernel
