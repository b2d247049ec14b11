#include "fokker/data/array_data.h"

#include "fokker/core/check.h"
#include "fokker/core/messages.h"

namespace fokker {
namespace {

bool is_table(const RowSource::Form& form) {
  return form.event_shape.size() <= 1;
}

std::string shape_of_all(const RowSource::Form& form) {
  std::vector<int64_t> shape = {form.count};
  shape.insert(shape.end(), form.event_shape.begin(), form.event_shape.end());
  return shape_string(IntArrayRef(shape));
}

/// Pixels are uint8 or float32; everything else about the array must already say "images".
void check_images(const RowSource::Form& form, const std::string& name, bool grey_floats) {
  const std::vector<int64_t>& event = form.event_shape;
  // Three dimensions of floats are more likely a trajectory (times, n, d) than grey images.
  const bool grey = event.size() == 2 && (form.type == at::kByte || grey_floats);
  check_input(event.size() == 3 || grey,
              "{}: expected a table (n, d) or images (n, channels, height, width) but its shape is {}", name,
              shape_of_all(form));
  check_input(grey || (event[0] >= 1 && event[0] <= 4),
              "{}: expected images (n, channels, height, width) of 1 to 4 channels but its shape is {}{}",
              name, shape_of_all(form), event.back() <= 4 ? " (channels last? transpose it)" : "");
  check_input(form.type == at::kByte || at::isFloatingType(form.type),
              "{}: expected images of uint8, or floats in [-1, 1], but its type is {}", name,
              at::toString(form.type));
}

Tensor as_table(const Tensor& array) {
  return (array.dim() == 1 ? array.unsqueeze(1) : array).to(at::kDouble);
}

Tensor as_images(const Tensor& array) {
  const Tensor images = array.dim() == 3 ? array.unsqueeze(1) : array;
  return images.scalar_type() == at::kByte ? images : images.to(at::kFloat);
}

Dataset named_data(const RowSource::Form& form, const std::string& name) {
  Dataset data;
  data.source = name;
  if (is_table(form)) data.columns = default_column_names(form.event_shape.empty() ? 1 : form.event_shape[0]);
  return data;
}

}  // namespace

Dataset data_of_array(const Tensor& array, const std::string& name, bool grey_floats) {
  check_input(array.dim() > 0,
              "{}: expected a table (n, d) or images (n, channels, height, width) but its shape is {}", name,
              shape_string(array));
  const RowSource::Form form{array.size(0), array.sizes().slice(1).vec(), array.scalar_type()};
  Dataset data = named_data(form, name);
  if (!is_table(form)) check_images(form, name, grey_floats);
  data.values = is_table(form) ? as_table(array) : as_images(array);
  return data;
}

Dataset data_of_rows(const Rows& rows, const std::string& name, bool grey_floats) {
  const RowSource::Form& form = rows->form();
  Dataset data = named_data(form, name);
  std::vector<int64_t> event = form.event_shape;
  if (is_table(form)) {
    if (event.empty()) event = {1};
    data.stored = mapped_rows(rows, event, at::kDouble, as_table);
    return data;
  }
  check_images(form, name, grey_floats);
  if (event.size() == 2) event.insert(event.begin(), 1);
  data.stored = mapped_rows(rows, event, form.type == at::kByte ? at::kByte : at::kFloat, as_images);
  return data;
}

void check_finite(const RowSource& rows, const std::string& name) {
  if (!at::isFloatingType(rows.type()) || rows.size() == 0) return;
  int64_t width = 1;
  for (const int64_t size : rows.event_shape()) width *= size;
  if (width == 0) return;
  double largest = 0;
  for_row_blocks(rows, rows_per_block(width), [&](const Tensor& block, int64_t first) {
    const Tensor piece = block.flatten(1), good = piece.isfinite();
    largest = std::max(largest, piece.abs().max().item<double>());
    if (good.all().item<bool>()) return;
    const Tensor place = good.logical_not().nonzero()[0];
    const int64_t row = place[0].item<int64_t>(), column = place[1].item<int64_t>();
    fail(ErrorKind::input, "{}: row {} (from 0), element {}: expected a finite number but found {}", name,
         first + row, column, piece[row][column].item<double>());
  });
  if (rows.event_shape().size() == 3 && largest > 8)
    warn(fmt::format("{}: images of floats are expected in [-1, 1], but these reach {}", name, largest));
}

}  // namespace fokker
