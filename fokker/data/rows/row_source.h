#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "fokker/core/tensor.h"

namespace fokker {

/// Rows that are read when they are asked for: of a file, a folder, or a tensor. Reading changes nothing, and
/// any number of threads may do it at once. Input errors name the file that could not be read, or was changed
/// since.
class RowSource {
 public:
  /// What the rows are, as a tensor of all would say.
  struct Form {
    int64_t count = 0;
    std::vector<int64_t> event_shape = {};
    at::ScalarType type = at::kDouble;
  };

  virtual ~RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;

  int64_t size() const { return form_.count; }
  const std::vector<int64_t>& event_shape() const { return form_.event_shape; }
  at::ScalarType type() const { return form_.type; }
  const Form& form() const { return form_; }

  /// The rows at `indices` (k) int64, in their order: (k, event...). Argument error where one is out of
  /// range.
  Tensor rows(const Tensor& indices) const;
  /// Rows first, ..., first + count - 1. Argument error beyond the end.
  Tensor block(int64_t first, int64_t count) const;

 protected:
  explicit RowSource(Form form) : form_(std::move(form)) {}

 private:
  virtual Tensor do_rows(const Tensor& indices) const = 0;
  /// Rows that follow one another, where that is quicker.
  virtual Tensor do_block(int64_t first, int64_t count) const;
  Form form_;
};

using Rows = std::shared_ptr<const RowSource>;

/// So many rows of that width in a block that passes over all of them copy little at a time.
int64_t rows_per_block(int64_t width);

/// Calls `visit` with all rows in blocks of so many, in their order, and with the number of the first.
void for_row_blocks(const RowSource& rows, int64_t rows_in_block,
                    const std::function<void(const Tensor& block, int64_t first)>& visit);

/// The same, where a thread reads the next block while `visit` is at work.
void for_row_blocks_ahead(const RowSource& rows, int64_t rows_in_block,
                          const std::function<void(const Tensor& block, int64_t first)>& visit);

/// The rows of a tensor (n, event...).
Rows rows_of_tensor(const Tensor& values);
/// Some rows of others, at `indices` (k) int64.
Rows rows_at(Rows rows, Tensor indices);
/// All but these, which are sorted and different: (k) int64.
Rows rows_but(Rows rows, Tensor left_out);
/// Rows, each of which is a function of one: `map` of (k, event...) gives (k, form.event_shape...) of
/// form.type, row by row; form.count is that of `rows`.
Rows mapped_rows(Rows rows, std::vector<int64_t> event_shape, at::ScalarType type,
                 std::function<Tensor(const Tensor&)> map);
/// Some columns of a table.
Rows columns_of_rows(Rows rows, const std::vector<int64_t>& places);
/// Images, then their mirror images.
Rows mirrored_rows(Rows rows);

}  // namespace fokker
