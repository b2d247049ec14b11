#include "cli/restored_output.h"

#include "cli/output.h"
#include "fokker/core/check.h"
#include "fokker/data/array/npy.h"
#include "fokker/data/csv/csv.h"
#include "fokker/plot/mark/image_grid.h"

namespace fokker::cli {
namespace {

/// Rows by draws, with the two numbers first.
void write_draws_csv(const std::string& file, const Tensor& x, const std::vector<std::string>& columns) {
  const int64_t rows = x.size(0), n = x.size(1);
  const Tensor row = at::arange(rows, at::kDouble).repeat_interleave(n).unsqueeze(1),
               draw = at::arange(n, at::kDouble).repeat({rows}).unsqueeze(1);
  std::vector<std::string> names{"row", "draw"};
  names.insert(names.end(), columns.begin(), columns.end());
  save_csv(file, at::cat({row, draw, x.flatten(0, 1).to(at::kDouble)}, 1), names);
}

/// Deviations as images: white is the largest of all.
Tensor as_picture(const Tensor& deviation) {
  return deviation * (2 / std::max(1e-12, deviation.max().item<double>())) - 1;
}

void write_draws_png(const std::string& file, const Restored& restored) {
  const Tensor& x = restored.x;
  std::vector<Tensor> parts{restored.seen.by_itself().to(x.scalar_type()).unsqueeze(1), x};
  if (x.size(1) > 1) parts.push_back(as_picture(restored.deviation).unsqueeze(1));
  const Tensor lines = at::cat(parts, 1);
  plot::save_image_grid(file, lines.flatten(0, 1), {.columns = lines.size(1)});
}

}  // namespace

void Restored::write(const std::string& file) const {
  if (file.ends_with(".npy")) save_npy(file, x);
  if (file.ends_with(".csv")) write_draws_csv(file, x, source.columns);
  if (file.ends_with(".png")) write_draws_png(file, *this);
}

void Restored::write_uncertainty(const std::string& file) const {
  if (file.ends_with(".npy")) save_npy(file, deviation);
  if (file.ends_with(".png")) plot::save_image_grid(file, as_picture(deviation));
}

void check_restored_output(const std::string& out, const std::string& uncertainty, int64_t n) {
  check_output(out);
  if (uncertainty.empty()) return;
  check(uncertainty.ends_with(".npy") || uncertainty.ends_with(".png"),
        "{}: expected an output that ends in .npy or .png", uncertainty);
  check(n > 1, "uncertainty: expected n > 1 draws, whose deviation it is");
  check_folder_of(uncertainty);
}

void check_restored_output_of(const DenoiserSource& source, const std::string& out,
                              const std::string& uncertainty) {
  const bool images = source.event.size() == 3;
  check(!out.ends_with(".csv") || !images, "{}: images are written as .npy or .png", out);
  check(!out.ends_with(".png") || images, "{}: draws of a table are written as .npy or .csv", out);
  check(!uncertainty.ends_with(".png") || images, "{}: deviations of a table are written as .npy",
        uncertainty);
}

}  // namespace fokker::cli
