// The nearest of some rows, by Gower's distance.
#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/core/jobs.h"
#include "fokker/core/runtime.h"
#include "fokker/distributed/shared_jobs.h"
#include "fokker/evaluate/table/cells.h"
#include "fokker/evaluate/table/privacy.h"

namespace fokker {
namespace {

constexpr int64_t searched_together = 512;  // whose columns stay in the cache
constexpr float missing_number = 1e6F;      // at distance 1 and more of any range, 0 of itself

/// The least of the sums over columns of min(|x - q|, 1), for one query and the rows of a block (D, 512).
float nearest_in_block(const float* block, const float* query, int64_t columns) {
  float sums[searched_together] = {};
  for (int64_t c = 0; c < columns; ++c) {
    const float* x = block + c * searched_together;
    const float q = query[c];
    for (int64_t i = 0; i < searched_together; ++i) {
      const float difference = std::abs(x[i] - q);
      sums[i] += difference < 1.0F ? difference : 1.0F;
    }
  }
  float least[16];
  std::copy_n(sums, 16, least);
  for (int64_t i = 16; i < searched_together; i += 16)
    for (int64_t k = 0; k < 16; ++k) least[k] = sums[i + k] < least[k] ? sums[i + k] : least[k];
  return *std::min_element(least, least + 16);
}

}  // namespace

/// Columns (D, n) as numbers whose differences, 1 at most, are the columns' distances.
Tensor NearestRows::encoded(const Tensor& cells, const char* set) const {
  const Tensor columns = columns_of_cells(cells, schema_, set);
  Tensor code = at::empty(columns.sizes(), at::kFloat);
  const int64_t n = columns.size(1);
  run_jobs(schema_.columns.size(), thread_count(), [&](size_t c) {
    const double* cell = columns.data_ptr<double>() + static_cast<int64_t>(c) * n;
    float* out = code.data_ptr<float>() + static_cast<int64_t>(c) * n;
    const Column& column = schema_.columns[c];
    const auto levels = static_cast<int64_t>(column.levels.size());
    for (int64_t i = 0; i < n; ++i)
      if (column.has_levels())
        out[i] = static_cast<float>(level_code(cell[i], levels));
      else
        out[i] = std::isnan(cell[i])
                     ? missing_number
                     : static_cast<float>(std::clamp((cell[i] - low_[c]) / range_[c], -10.0, 10.0));
  });
  return code;
}

NearestRows::NearestRows(const Tensor& rows, const Tensor& units, const Schema& schema)
    : schema_(schema), low_(schema.columns.size()), range_(schema.columns.size()) {
  const Tensor columns = columns_of_cells(units, schema, "units");
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor low = std::get<0>(at::nan_to_num(columns, inf).min(1));
  const Tensor high = std::get<0>(at::nan_to_num(columns, -inf).max(1));
  for (size_t c = 0; c < low_.size(); ++c) {
    const double least = low[static_cast<int64_t>(c)].item<double>();
    const double range = high[static_cast<int64_t>(c)].item<double>() - least;
    // A column that does not vary tells any other value from its own.
    low_[c] = std::isfinite(least) ? least : 0;
    range_[c] = range > 0 && std::isfinite(range) ? range : std::numeric_limits<double>::min();
  }
  const Tensor code = encoded(rows, "rows");
  const int64_t blocks = (code.size(1) + searched_together - 1) / searched_together;
  const Tensor place = at::arange(blocks * searched_together).remainder(code.size(1));
  rows_ = code.index_select(1, place)
              .reshape({code.size(0), blocks, searched_together})
              .transpose(0, 1)
              .contiguous();
}

std::vector<float> NearestRows::distances(const Tensor& queries, const Ranks& ranks) const {
  const Tensor asked = encoded(queries, "queries").t().contiguous();
  const int64_t count = asked.size(0), columns = asked.size(1), blocks = rows_.size(0);
  constexpr int64_t share = 32;  // queries that go through the blocks together
  const Tensor found =
      shared_jobs(ranks, (count + share - 1) / share, share, [&](int64_t part, double* into) {
        const int64_t begin = part * share, end = std::min(count, begin + share);
        std::array<float, share> nearest;
        nearest.fill(std::numeric_limits<float>::infinity());
        for (int64_t b = 0; b < blocks; ++b)
          for (int64_t q = begin; q < end; ++q)
            nearest[q - begin] =
                std::min(nearest[q - begin],
                         nearest_in_block(rows_.data_ptr<float>() + b * columns * searched_together,
                                          asked.data_ptr<float>() + q * columns, columns));
        std::copy(nearest.begin(), nearest.end(), into);
      });
  std::vector<float> result(static_cast<size_t>(count));
  for (size_t q = 0; q < result.size(); ++q)
    result[q] = static_cast<float>(found.data_ptr<double>()[q]) / static_cast<float>(columns);
  return result;
}

}  // namespace fokker
