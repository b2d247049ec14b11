#include "cli/measured.h"

#include "fokker/core/check.h"
#include "fokker/core/finite_rows.h"
#include "fokker/data/array/npy.h"

namespace fokker::cli {
namespace {

/// A file's numbers, of any shape; NPY may hold NaN.
Tensor read_measured(const std::string& file, const LinearOperator& a, const LoadOptions& reading,
                     Levels levels) {
  const bool npy = file.ends_with(".npy");
  const Tensor values = npy ? load_npy(file) : read_data_file(file, reading).values;
  check_input(npy || levels == Levels::of_images || values.dim() == 2,
              "{}: pictures hold levels: expected counts in .npy or .csv", file);
  check_input(values.scalar_type() != at::kBool, "{}: expected numbers but it holds true and false", file);
  if (values.scalar_type() == at::kByte && a.input_shape().size() == 3 && a.name() != "matrix" &&
      levels == Levels::of_images)
    return values.to(at::kDouble) / 127.5 - 1;
  return values.to(at::kDouble);
}

/// Whether values are rows of that shape, or one of them; then as rows of it. Sizes of 1 may be left out.
std::optional<Tensor> as_rows(const Tensor& values, const std::vector<int64_t>& shape) {
  const auto squeezed = [](at::IntArrayRef sizes) {
    std::vector<int64_t> kept;
    for (const int64_t size : sizes)
      if (size != 1) kept.push_back(size);
    return kept;
  };
  const auto of = [&](int64_t rows) {
    std::vector<int64_t> sizes{rows};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    return values.reshape(sizes);
  };
  if (values.dim() == 0) return {};
  const auto wanted = squeezed(shape);
  if (squeezed(values.sizes().slice(1)) == wanted) return of(values.size(0));
  if (squeezed(values.sizes()) == wanted) return of(1);
  int64_t numbers = 1;
  for (const int64_t size : shape) numbers *= size;
  if (values.dim() == 2 && values.size(1) == numbers) return of(values.size(0));
  return {};
}

}  // namespace

Tensor load_measured(const std::string& file, const LinearOperator& a, const LoadOptions& reading,
                     Levels levels) {
  const Tensor values = read_measured(file, a, reading, levels);
  const auto* mask = dynamic_cast<const MaskOperator*>(&a);
  std::optional<Tensor> rows = as_rows(values, a.output_shape());
  if (!rows && mask)
    if (const auto whole = as_rows(values, a.input_shape())) rows = mask->select(*whole);
  check_input(rows.has_value(), "{}: expected rows of shape {}{}, which operator {} measures, but it has {}",
              file, shape_string(a.output_shape()),
              mask ? fmt::format(" (what is seen) or {} (whole events)", shape_string(a.input_shape())) : "",
              a.name(), shape_string(values));
  check_input(rows->size(0) > 0, "{}: expected at least one measurement", file);
  const int64_t bad = first_row_not_finite(*rows);
  check_input(bad < 0, "{}: row {} (from 0): expected finite numbers{}", file, bad,
              mask ? " where the mask shows them" : "");
  return *rows;
}

}  // namespace fokker::cli
