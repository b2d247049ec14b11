#include "fokker/kernel/image/convolution.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "fokker/kernel/image/padded_image.h"
#include "fokker/kernel/image/winograd.h"
#include "fokker/kernel/matrix/dense_blocks.h"
#include "fokker/kernel/matrix/gemm.h"
#include "fokker/kernel/vector/scratch.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker::kernel {
namespace {

// Numbers of a group of tiles that pass through the products together: they stay in the outer caches.
constexpr int64_t group_numbers = int64_t{128} * 1024, segment_numbers = int64_t{768} * 1024;
constexpr int64_t gradient_block = 8 * gemm_rows;  // of a filter's gradient that are one task

int64_t panels_of(int64_t columns) {
  return (columns + gemm_panel - 1) / gemm_panel;
}

struct Tiles {
  int64_t rows, columns, all;
  explicit Tiles(const ConvolutionShape& s)
      : rows((s.height + winograd_tile - 1) / winograd_tile),
        columns((s.width + winograd_tile - 1) / winograd_tile),
        all(s.images * rows * columns) {}
  int64_t image(int64_t tile) const { return tile / (rows * columns); }
  int64_t top(int64_t tile) const { return tile % (rows * columns) / columns * winograd_tile; }
  int64_t left(int64_t tile) const { return tile % columns * winograd_tile; }
  int64_t of_image() const { return rows * columns; }
  /// About `count`, of whole images where so many are.
  int64_t whole(int64_t count) const { return std::max<int64_t>(1, count / of_image()) * of_image(); }
};

/// One image at a time with zeros around it, as far as whole tiles need them.
class PaddedImage {
 public:
  PaddedImage(const ConvolutionShape& shape, int64_t channels, const ConvolutionInput& input)
      : shape_(shape), input_(input), tiles_(shape), channels_(channels) {}

  int64_t size() const {
    return (winograd_tile * tiles_.rows + 2) * (winograd_tile * tiles_.columns + 2) * channels_;
  }
  void use(float* memory) {
    memory_ = memory;
    const int64_t row = strides().row, inner = (shape_.width + 1) * channels_;
    float* end = memory + size();
    float* below = memory + (shape_.height + 1) * row;
    std::fill(memory, memory + row, 0.0f);
    for (float* line = memory + row; line < below; line += row) {
      std::fill_n(line, channels_, 0.0f);
      std::fill(line + inner, line + row, 0.0f);
    }
    std::fill(below, end, 0.0f);
  }

  PixelStrides strides() const {
    return {.row = (winograd_tile * tiles_.columns + 2) * channels_, .pixel = channels_};
  }
  /// The 6 x 6 pixels around a tile; `inner`: the 4 x 4 of the tile itself.
  const float* patch(int64_t tile, bool inner = false) {
    const int64_t image = tiles_.image(tile);
    if (image != present_) place(image);
    return memory_ + (tiles_.top(tile) + inner) * strides().row + (tiles_.left(tile) + inner) * channels_;
  }

 private:
  void place(int64_t image) {
    const int64_t factor = input_.upsampled ? 2 : 1;
    const int64_t height = shape_.height / factor, width = shape_.width / factor;
    const auto of_image = [&](const float* rows) { return rows ? rows + image * channels_ : nullptr; };
    place_image({.data = input_.x + image * height * width * input_.pixel_stride,
                 .height = height,
                 .width = width,
                 .channels = channels_,
                 .pixel_stride = input_.pixel_stride,
                 .scale = of_image(input_.scale),
                 .centre = of_image(input_.centre),
                 .shift = of_image(input_.shift),
                 .upsampled = input_.upsampled},
                memory_ + strides().row + strides().pixel, strides().row, strides().pixel);
    present_ = image;
  }

  const ConvolutionShape& shape_;
  const ConvolutionInput& input_;
  Tiles tiles_;
  int64_t channels_, present_ = -1;
  float* memory_ = nullptr;
};

WinogradOutput output_of(const ConvolutionShape& s, const Tiles& tiles, const ConvolutionOutput& o,
                         int64_t tile) {
  const int64_t image = tiles.image(tile), top = tiles.top(tile), left = tiles.left(tile);
  const int64_t first = (image * s.height + top) * s.width + left;
  return {.y = o.y + first * o.pixel_stride,
          .y_strides = {.row = s.width * o.pixel_stride, .pixel = o.pixel_stride},
          .rows = std::min(winograd_tile, s.height - top),
          .columns = std::min(winograd_tile, s.width - left),
          .start = o.start ? o.start + image * o.start_stride : nullptr,
          .residual = o.residual ? o.residual + first * o.residual_pixel_stride : nullptr,
          .residual_strides = {.row = s.width * o.residual_pixel_stride, .pixel = o.residual_pixel_stride}};
}

/// Tiles that go through the products together: as many as caches hold, whole tiles of `gemm`.
int64_t group_of(int64_t numbers, int64_t channels, int64_t least, int64_t most) {
  return std::clamp(numbers / (winograd_products * channels) / (2 * gemm_rows) * (2 * gemm_rows), least,
                    most);
}

void convolve_tiles(const ConvolutionShape& shape, const ConvolutionInput& input, const float* filters,
                    const ConvolutionOutput& output, int64_t begin, int64_t end) {
  const int64_t inputs = shape.inputs, outputs = shape.outputs;
  const int64_t group = std::min(end - begin, group_of(group_numbers, inputs + outputs, 24, 96));
  const int64_t v_stride = winograd_stride(group * inputs), m_stride = winograd_stride(group * outputs);
  const int64_t filter = winograd_stride(packed_size(inputs, outputs));
  const Tiles tiles(shape);
  PaddedImage image(shape, inputs, input);
  float* v = scratch(Scratch::own, winograd_products * (v_stride + m_stride) + image.size());
  float* m = v + winograd_products * v_stride;
  image.use(m + winograd_products * m_stride);
  for (int64_t first = begin; first < end; first += group) {
    const int64_t count = std::min(group, end - first);
    for (int64_t t = 0; t < count; ++t)
      winograd_input(image.patch(first + t), image.strides(), inputs, v + t * inputs, v_stride);
    for (int64_t p = 0; p < winograd_products; ++p)
      gemm({v + p * v_stride, inputs, 1}, count, {filters + p * filter, inputs, outputs}, {},
           m + p * m_stride, outputs);
    for (int64_t t = 0; t < count; ++t)
      winograd_output(m + t * outputs, m_stride, outputs, output_of(shape, tiles, output, first + t));
  }
}

/// Transformed inputs and gradients of a run of tiles, which all threads fill and then multiply.
struct Segment {
  int64_t first, count, first_part;
  float *v, *m;
  int64_t v_stride, m_stride;
};

void transform_segment(const ConvolutionShape& shape, const ConvolutionInput& input,
                       const ConvolutionInput& gradient, const Segment& s) {
  const int64_t tiles = Tiles(shape).whole(48);
  for_each_task((s.count + tiles - 1) / tiles, [&](int64_t task) {
    const int64_t begin = task * tiles, end = std::min(s.count, begin + tiles);
    PaddedImage image(shape, shape.inputs, input), dy(shape, shape.outputs, gradient);
    float* memory = scratch(Scratch::own, image.size() + dy.size());
    image.use(memory);
    dy.use(memory + image.size());
    for (int64_t t = begin; t < end; ++t) {
      winograd_input(image.patch(s.first + t), image.strides(), shape.inputs, s.v + t * shape.inputs,
                     s.v_stride);
      winograd_output_gradient(dy.patch(s.first + t, true), dy.strides(), shape.outputs, s.m + t * gemm_panel,
                               s.m_stride, s.count * gemm_panel);
    }
  });
}

constexpr int64_t tiles_of_part = 256;  // whose products are one float32 sum

int64_t parts_of(int64_t tiles) {
  return (tiles + tiles_of_part - 1) / tiles_of_part;
}

/// u += V^T M for each of the 36 matrices; sums over tiles run in their order, whoever computes them.
void multiply_segment(const ConvolutionShape& shape, const Segment& s, SumOfParts& sum, float* u) {
  const int64_t inputs = shape.inputs, outputs = shape.outputs,
                blocks = (inputs + gradient_block - 1) / gradient_block;
  for_each_task(winograd_products * blocks, [&](int64_t task) {
    const int64_t p = task / blocks, row = task % blocks * gradient_block,
                  rows = std::min(gradient_block, inputs - row);
    const PackedMatrix m = {s.m + p * s.m_stride, s.count, outputs};
    const int64_t offset = p * winograd_stride(inputs * outputs) + row * outputs;
    for (int64_t first = 0; first < s.count; first += tiles_of_part) {
      const int64_t part = s.first_part + first / tiles_of_part;
      float* to = SumOfParts::begins(part) ? u + offset : scratch(Scratch::own, gradient_block * outputs);
      gemm({s.v + p * s.v_stride + first * inputs + row, 1, inputs}, rows,
           m.part(first, std::min(tiles_of_part, s.count - first)), {}, to, outputs);
      sum.add(part, to, rows, outputs, u + offset, outputs, offset);
    }
  });
}

}  // namespace

int64_t convolution_filters_size(int64_t inputs, int64_t outputs) {
  return winograd_products * winograd_stride(packed_size(inputs, outputs));
}

void transform_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, float* filters) {
  for_each_task(panels_of(transposed ? inputs : outputs),
                [&](int64_t panel) { winograd_filters(g, outputs, inputs, transposed, panel, filters); });
}

void convolve(const ConvolutionShape& shape, const ConvolutionInput& input, const float* filters,
              const ConvolutionOutput& output) {
  at::parallel_for(0, Tiles(shape).all, 6, [&](int64_t begin, int64_t end) {
    convolve_tiles(shape, input, filters, output, begin, end);
  });
}

void convolution_filter_gradient(const ConvolutionShape& shape, const ConvolutionInput& input,
                                 const float* dy, int64_t dy_pixel_stride, float* dg) {
  const int64_t inputs = shape.inputs, outputs = shape.outputs, all = Tiles(shape).all;
  int64_t most = group_of(segment_numbers, inputs + outputs, 48, 768);
  if (most >= Tiles(shape).of_image()) most = Tiles(shape).whole(most);
  most = std::min(all, most);
  const int64_t v_stride = winograd_stride(most * inputs),
                m_stride = winograd_stride(packed_size(most, outputs)),
                u_stride = winograd_stride(inputs * outputs);
  float* v = scratch(Scratch::shared, winograd_products * (v_stride + m_stride + u_stride));
  float *m = v + winograd_products * v_stride, *u = m + winograd_products * m_stride;
  const ConvolutionInput gradient = {.x = dy, .pixel_stride = dy_pixel_stride};
  SumOfParts sum(all / most * parts_of(most) + parts_of(all % most), winograd_products * u_stride);
  for (int64_t first = 0; first < all; first += most) {
    const Segment segment = {
        first, std::min(most, all - first), first / most * parts_of(most), v, m, v_stride, m_stride};
    transform_segment(shape, input, gradient, segment);
    multiply_segment(shape, segment, sum, u);
  }
  for_each_task(panels_of(outputs),
                [&](int64_t panel) { winograd_filter_gradient(u, outputs, inputs, panel, dg); });
}

}  // namespace fokker::kernel
