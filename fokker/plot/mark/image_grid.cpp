#include "fokker/plot/mark/image_grid.h"

#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"
#include "fokker/image/image.h"
#include "fokker/plot/canvas/canvas.h"
#include "fokker/plot/figure/figure.h"

namespace fokker::plot {
namespace {

Tensor to_bytes(const Tensor& images) {
  check_input(images.defined() && images.dim() == 4 && images.size(1) >= 1 && images.size(1) <= 4,
              "image_grid: expected shape (n, 1 to 4, height, width) but received {}",
              images.defined() ? shape_string(images) : "nothing");
  check_input(images.numel() > 0, "image_grid: expected at least one image but received shape {}",
              shape_string(images));
  const Tensor values = images.detach().to(at::kCPU);
  if (values.scalar_type() == at::kByte) return values;
  check_input(at::isFloatingType(values.scalar_type()),
              "image_grid: expected uint8 or floating point but received {}",
              at::toString(values.scalar_type()));
  const Tensor numbers = values.to(at::kFloat);
  check_input(at::isfinite(numbers).all().item<bool>(),
              "image_grid: expected finite values but received some that are not");
  return ((numbers.clamp(-1, 1) + 1) * 127.5).round().to(at::kByte);
}

}  // namespace

Tensor image_grid(const Tensor& images, const ImageGridOptions& options) try {
  check(options.columns >= 0 && options.padding >= 0 && options.scale >= 1,
        "image_grid: expected columns >= 0, padding >= 0 and scale >= 1 but received {}, {} and {}",
        options.columns, options.padding, options.scale);
  const Tensor bytes = to_bytes(images);
  const int64_t count = bytes.size(0);
  const int64_t square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int64_t columns = options.columns > 0 ? std::min(options.columns, count) : square;
  const int64_t rows = (count + columns - 1) / columns;
  check(std::max({options.padding, options.scale, bytes.size(2), bytes.size(3)}) <= kLargestSide,
        "image_grid: expected at most {} pixels a side", kLargestSide);
  const int64_t height = bytes.size(2) * options.scale, width = bytes.size(3) * options.scale;
  const int64_t page_height = rows * (height + options.padding) + options.padding;
  const int64_t page_width = columns * (width + options.padding) + options.padding;
  check(page_height <= kLargestSide && page_width <= kLargestSide,
        "image_grid: expected at most {} pixels a side but received {} x {}", kLargestSide, page_width,
        page_height);
  Tensor page = at::full({bytes.size(1), page_height, page_width}, options.background, at::kByte);
  if (page.size(0) % 2 == 0) page[-1].fill_(255);
  const Tensor scaled = bytes.repeat_interleave(options.scale, 2).repeat_interleave(options.scale, 3);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t top = options.padding + i / columns * (height + options.padding);
    const int64_t left = options.padding + i % columns * (width + options.padding);
    page.narrow(1, top, height).narrow(2, left, width).copy_(scaled[i]);
  }
  return page;
} catch (...) {
  detail::throw_as_error();
}

void save_image_grid(const std::filesystem::path& path, const Tensor& images,
                     const ImageGridOptions& options) {
  check(image_format(path) == ImageFormat::png,
        "image_grid: expected a file name ending in .png but received {}", path.string());
  const Tensor grid = image_grid(images, options);
  save_png(path, grid.size(0) == 1 ? grid.expand({3, -1, -1}) : grid);
}

}  // namespace fokker::plot
