#include "fokker/data/rows/row_source.h"

#include <future>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/core/runtime.h"

namespace fokker {
namespace {

class TensorRows final : public RowSource {
 public:
  explicit TensorRows(const Tensor& values)
      : RowSource({values.size(0), values.sizes().slice(1).vec(), values.scalar_type()}), values_(values) {}

 private:
  Tensor do_rows(const Tensor& indices) const override { return values_.index_select(0, indices); }
  Tensor do_block(int64_t first, int64_t count) const override { return values_.narrow(0, first, count); }
  Tensor values_;
};

class ChosenRows final : public RowSource {
 public:
  ChosenRows(Rows rows, Tensor indices)
      : RowSource({indices.size(0), rows->event_shape(), rows->type()}),
        rows_(std::move(rows)),
        indices_(std::move(indices)) {}

 private:
  Tensor do_rows(const Tensor& indices) const override {
    return rows_->rows(indices_.index_select(0, indices));
  }
  Rows rows_;
  Tensor indices_;
};

/// Row i is row i + j of the others, where j of those left out stand before it.
class RemainingRows final : public RowSource {
 public:
  RemainingRows(Rows rows, const Tensor& left_out)
      : RowSource({rows->size() - left_out.size(0), rows->event_shape(), rows->type()}),
        rows_(std::move(rows)) {
    const auto* row = left_out.data_ptr<int64_t>();
    for (int64_t j = 0; j < left_out.size(0); ++j) {
      check(row[j] >= 0 && row[j] < rows_->size() && (j == 0 || row[j] > row[j - 1]),
            "rows_but: expected sorted rows of 0..{} but received {}", rows_->size() - 1, row[j]);
      before_.push_back(row[j] - j);
    }
  }

 private:
  int64_t place_of(int64_t i) const {
    return i + (std::upper_bound(before_.begin(), before_.end(), i) - before_.begin());
  }
  Tensor do_rows(const Tensor& indices) const override {
    const Tensor places = at::empty_like(indices, at::MemoryFormat::Contiguous);
    const Tensor asked = indices.contiguous();
    for (int64_t k = 0; k < asked.size(0); ++k)
      places.data_ptr<int64_t>()[k] = place_of(asked.data_ptr<int64_t>()[k]);
    return rows_->rows(places);
  }
  /// Reads those left out with the others, and leaves them out.
  Tensor do_block(int64_t first, int64_t count) const override {
    if (count == 0) return rows_->block(0, 0);
    const int64_t begin = place_of(first), end = place_of(first + count - 1) + 1;
    const Tensor all = rows_->block(begin, end - begin);
    if (end - begin == count) return all;
    const Tensor kept = at::empty({count}, at::kLong);
    for (int64_t k = 0; k < count; ++k) kept.data_ptr<int64_t>()[k] = place_of(first + k) - begin;
    return all.index_select(0, kept);
  }
  Rows rows_;
  std::vector<int64_t> before_;  ///< of each row left out, how many of those that remain stand before it
};

class MappedRows final : public RowSource {
 public:
  MappedRows(Rows rows, std::vector<int64_t> event_shape, at::ScalarType type,
             std::function<Tensor(const Tensor&)> map)
      : RowSource({rows->size(), std::move(event_shape), type}),
        rows_(std::move(rows)),
        map_(std::move(map)) {}

 private:
  Tensor do_rows(const Tensor& indices) const override { return map_(rows_->rows(indices)); }
  Tensor do_block(int64_t first, int64_t count) const override { return map_(rows_->block(first, count)); }
  Rows rows_;
  std::function<Tensor(const Tensor&)> map_;
};

class MirroredRows final : public RowSource {
 public:
  explicit MirroredRows(Rows rows)
      : RowSource({2 * rows->size(), rows->event_shape(), rows->type()}), rows_(std::move(rows)) {}

 private:
  Tensor do_rows(const Tensor& indices) const override {
    const Tensor mirrored = indices.ge(rows_->size());
    const Tensor values = rows_->rows(indices.remainder(rows_->size()));
    const std::vector<int64_t> per_row = {-1, 1, 1, 1};
    return at::where(mirrored.view(per_row), values.flip({3}), values);
  }
  Rows rows_;
};

}  // namespace

Tensor RowSource::rows(const Tensor& indices) const {
  check(indices.dim() == 1 && indices.scalar_type() == at::kLong,
        "Dataset::rows: expected (k) int64 indices but received {} {}", shape_string(indices),
        at::toString(indices.scalar_type()));
  if (indices.numel() > 0) {
    const int64_t low = indices.min().item<int64_t>();
    const int64_t high = indices.max().item<int64_t>();
    check(low >= 0 && high < size(), "Dataset::rows: expected indices in 0..{} but received {}", size() - 1,
          low < 0 ? low : high);
  }
  return do_rows(indices);
}

Tensor RowSource::block(int64_t first, int64_t count) const {
  check(first >= 0 && count >= 0 && first <= size() - count,
        "Dataset::block: expected rows in 0..{} but received {} from {}", size() - 1, count, first);
  return do_block(first, count);
}

Tensor RowSource::do_block(int64_t first, int64_t count) const {
  return do_rows(at::arange(first, first + count, at::kLong));
}

int64_t rows_per_block(int64_t width) {
  constexpr int64_t values_in_block = 1 << 20;
  return std::max<int64_t>(1, values_in_block / std::max<int64_t>(1, width));
}

void for_row_blocks(const RowSource& rows, int64_t rows_in_block,
                    const std::function<void(const Tensor& block, int64_t first)>& visit) {
  for (int64_t first = 0; first < rows.size(); first += rows_in_block)
    visit(rows.block(first, std::min(rows_in_block, rows.size() - first)), first);
}

void for_row_blocks_ahead(const RowSource& rows, int64_t rows_in_block,
                          const std::function<void(const Tensor& block, int64_t first)>& visit) {
  const auto read = [&](int64_t first) {
    return std::async(std::launch::async, [&rows, first, rows_in_block] {
      set_threads(1);
      const GradientMode no_gradients(false);
      return rows.block(first, std::min(rows_in_block, rows.size() - first));
    });
  };
  if (rows.size() == 0) return;
  std::future<Tensor> next = read(0);
  for (int64_t first = 0; first < rows.size(); first += rows_in_block) {
    const Tensor block = next.get();
    if (first + rows_in_block < rows.size()) next = read(first + rows_in_block);
    visit(block, first);
  }
}

Rows rows_of_tensor(const Tensor& values) {
  return std::make_shared<TensorRows>(values);
}

Rows rows_at(Rows rows, Tensor indices) {
  return std::make_shared<ChosenRows>(std::move(rows), indices.contiguous());
}

Rows rows_but(Rows rows, Tensor left_out) {
  return std::make_shared<RemainingRows>(std::move(rows), left_out.contiguous());
}

Rows mapped_rows(Rows rows, std::vector<int64_t> event_shape, at::ScalarType type,
                 std::function<Tensor(const Tensor&)> map) {
  return std::make_shared<MappedRows>(std::move(rows), std::move(event_shape), type, std::move(map));
}

Rows columns_of_rows(Rows rows, const std::vector<int64_t>& places) {
  const at::ScalarType type = rows->type();
  return mapped_rows(std::move(rows), {std::ssize(places)}, type,
                     [chosen = at::tensor(places, at::TensorOptions(at::kLong))](const Tensor& values) {
                       return values.index_select(1, chosen);
                     });
}

Rows mirrored_rows(Rows rows) {
  check(rows->event_shape().size() == 3, "mirrored_rows: expected images but received rows of shape {}",
        shape_string(rows->event_shape()));
  return std::make_shared<MirroredRows>(std::move(rows));
}

}  // namespace fokker
