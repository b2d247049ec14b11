#include "fokker/kernel/image/bf16_convolution.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "fokker/kernel/image/padded_image.h"
#include "fokker/kernel/matrix/bf16_units.h"
#include "fokker/kernel/vector/scratch.h"
#include "fokker/kernel/vector/sums.h"

namespace fokker::kernel {
namespace {

constexpr int64_t taps = 9;
constexpr int64_t band_pixels = 192;  // of a result, computed together: the sums stay in cache
constexpr int64_t gradient_numbers = int64_t{1}
                                     << 19;  // rounded numbers of the images whose gradients are one sum
constexpr int64_t part_pixels = 8192;        // most that one float32 sum takes
constexpr int64_t input_rows = 32;           // inputs that are one task

int64_t whole_blocks(int64_t count) {
  return (count + bf16_depth - 1) / bf16_depth * bf16_depth;
}

/// Rows of pixels are read in pairs of numbers.
int64_t even(int64_t channels) {
  return channels + channels % 2;
}

/// An image with a row and a column of zeros around it, whose pixels are numbered row by row: the nine pixels
/// of a filter are those numbers further on, whatever the pixel. Two columns of a result are of no use.
struct PaddedShape {
  int64_t height, width, channels;

  int64_t pitch() const { return width + 2; }
  int64_t pixels() const { return (height + 2) * pitch(); }
  int64_t tap(int64_t i) const { return i / 3 * pitch() + i % 3; }
};

/// Image `i` as the input is read, in float32 within zeros: (pixels, channels).
void place(const PaddedShape& s, const ConvolutionInput& input, int64_t i, int64_t first_pixel, float* to) {
  const int64_t factor = input.upsampled ? 2 : 1, height = s.height / factor, width = s.width / factor;
  const auto of_image = [&](const float* rows) { return rows ? rows + i * s.channels : nullptr; };
  std::fill_n(to, s.pixels() * s.channels, 0.0f);
  place_image({.data = input.x + i * height * width * input.pixel_stride,
               .height = height,
               .width = width,
               .channels = s.channels,
               .pixel_stride = input.pixel_stride,
               .scale = of_image(input.scale),
               .centre = of_image(input.centre),
               .shift = of_image(input.shift),
               .upsampled = input.upsampled},
              to + first_pixel * s.channels, s.pitch() * s.channels, s.channels);
}

/// Rows of packed filters: three groups, of three pixels each.
int64_t filter_depth(int64_t channels) {
  return 3 * whole_blocks(3 * even(channels));
}

/// Pixels beyond the last that a whole tile of rows touches.
constexpr int64_t tail_pixels = 2 * bf16_tile_rows;

/// One image at a time, rounded. The three pixels in a row under a filter are one group of blocks; what the
/// last of those takes beyond them meets zeros of the filters.
class RoundedImage {
 public:
  /// `sums`: further numbers in this thread's memory.
  RoundedImage(Bf16Unit unit, const PaddedShape& shape, const ConvolutionInput& input, int64_t sums)
      : unit_(unit), shape_(shape), input_(input), channels_(even(shape.channels)) {
    const int64_t numbers = (shape.pixels() + tail_pixels) * channels_ + 2 * bf16_depth;
    sums_ = scratch(Scratch::own, sums + shape.pixels() * shape.channels + numbers / 2);
    memory_ = sums_ + sums;
    rounded_ = reinterpret_cast<uint16_t*>(memory_ + shape.pixels() * shape.channels);
    std::fill_n(rounded_, numbers, uint16_t{0});
  }
  float* sums() const { return sums_; }
  /// The left factor of the pixels from row `top` of a result on.
  Bf16Left rows_from(int64_t image, int64_t top) {
    if (image != present_) {
      place(shape_, input_, image, shape_.pitch() + 1, memory_);
      round_rows(unit_, memory_, shape_.channels, shape_.pixels(), shape_.channels, rounded_, channels_);
      present_ = image;
    }
    return {.numbers = rounded_ + top * shape_.pitch() * channels_,
            .block_step = bf16_depth,
            .row_step = channels_,
            .pair_step = 2,
            .groups = 3,
            .group_step = shape_.pitch() * channels_};
  }

 private:
  Bf16Unit unit_;
  const PaddedShape& shape_;
  const ConvolutionInput& input_;
  int64_t channels_, present_ = -1;
  float *sums_, *memory_;
  uint16_t* rounded_;
};

/// Takes the sums of some rows of a result, `stride` numbers a pixel, to where they belong.
void write_rows(const ConvolutionShape& s, const ConvolutionOutput& o, const float* sums, int64_t stride,
                int64_t image, int64_t top, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < s.width; ++j) {
      const int64_t pixel = (image * s.height + top + i) * s.width + j;
      const float* from = sums + (i * (s.width + 2) + j) * stride;
      float* to = o.y + pixel * o.pixel_stride;
      const float* residual = o.residual ? o.residual + pixel * o.residual_pixel_stride : nullptr;
      if (residual)
        for (int64_t c = 0; c < s.outputs; ++c) to[c] = from[c] + residual[c];
      else
        std::copy_n(from, s.outputs, to);
    }
}

/// What is one float32 sum: some images, or some pixels of one.
struct GradientPart {
  int64_t first_image, images, first_pixel, pixels;
};

std::vector<GradientPart> gradient_parts(int64_t images, int64_t image_pixels, int64_t numbers) {
  const int64_t together =
      std::max<int64_t>(1, std::min(gradient_numbers / numbers, part_pixels / image_pixels));
  std::vector<GradientPart> parts;
  for (int64_t i = 0; i < images; i += together)
    for (int64_t pixel = 0; pixel < image_pixels; pixel += part_pixels)
      parts.push_back({i, std::min(together, images - i), pixel, part_pixels});
  return parts;
}

/// Images' factors of the gradient of filters: x transposed, (inputs, row numbers), and dy packed.
struct GradientFactors {
  PaddedShape x, dy;
  int64_t depth, row;  ///< pixels of a factor; numbers of a row of x

  explicit GradientFactors(const ConvolutionShape& s)
      : x{s.height, s.width, s.inputs},
        dy{s.height, s.width, s.outputs},
        depth(whole_blocks(x.pixels())),
        row(depth + whole_blocks(x.tap(taps - 1) + bf16_depth)) {}
  int64_t x_size() const { return whole_blocks(x.channels) * row; }
  int64_t size() const { return x_size() + packed_bf16_size(x.pixels(), dy.channels); }

  void fill(Bf16Unit unit, const ConvolutionInput& input, const ConvolutionInput& gradient, int64_t image,
            uint16_t* to) const {
    float* memory = scratch(Scratch::own, x.pixels() * std::max(x.channels, dy.channels));
    place(x, input, image, x.pitch() + 1, memory);
    std::fill_n(to, x_size(), uint16_t{0});
    round_transposed(unit, memory, x.channels, x.pixels(), x.channels, to, row);
    place(dy, gradient, image, 0,
          memory);  // a pixel of dy has the number of the first that its filter lies over
    pack_bf16({memory, dy.channels, 1}, dy.pixels(), dy.channels, to + x_size());
  }
  /// sums += the products of pixels [first, first + count) of an image, for some inputs under one tap.
  Bf16Product product(const uint16_t* factors, int64_t tap, const GradientPart& part, int64_t first_input,
                      int64_t rows, float* sums) const {
    const PackedBf16 all = {factors + x_size(), x.pixels(), dy.channels};
    const int64_t count = std::min(part.pixels, x.pixels() - part.first_pixel);
    return {.a = {factors + first_input * row + x.tap(tap) + part.first_pixel, bf16_depth, row, 2},
            .rows = rows,
            .b = all.part(part.first_pixel, count),
            .start = {.add = true},
            .c = sums,
            .c_stride = dy.channels};
  }
};

/// dg (outputs, inputs, 3, 3) from sums (9, inputs, outputs).
void write_filter_gradient(const ConvolutionShape& s, const float* sums, float* dg) {
  at::parallel_for(0, s.outputs, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < s.inputs; ++i)
        for (int64_t tap = 0; tap < taps; ++tap)
          dg[(o * s.inputs + i) * taps + tap] = sums[(tap * s.inputs + i) * s.outputs + o];
  });
}

}  // namespace

int64_t filters_size(FactorPrecision precision, int64_t inputs, int64_t outputs) {
  return precision == FactorPrecision::float32 ? convolution_filters_size(inputs, outputs)
                                               : rounded_filters_size(inputs, outputs) / 2;
}

Filters lay_out_filters(FactorPrecision precision, const float* g, int64_t outputs, int64_t inputs,
                        bool transposed, float* memory) {
  if (precision == FactorPrecision::float32)
    transform_filters(g, outputs, inputs, transposed, memory);
  else
    round_filters(g, outputs, inputs, transposed, reinterpret_cast<uint16_t*>(memory));
  return {precision, memory};
}

void convolve(const ConvolutionShape& shape, const ConvolutionInput& input, const Filters& filters,
              const ConvolutionOutput& output) {
  if (filters.precision == FactorPrecision::float32)
    convolve(shape, input, filters.numbers, output);
  else
    convolve_rounded(shape, input, reinterpret_cast<const uint16_t*>(filters.numbers), output);
}

int64_t rounded_filters_size(int64_t inputs, int64_t outputs) {
  return packed_bf16_size(filter_depth(inputs), outputs);
}

void round_filters(const float* g, int64_t outputs, int64_t inputs, bool transposed, uint16_t* filters) {
  const int64_t rows = transposed ? outputs : inputs, columns = transposed ? inputs : outputs;
  const int64_t depth = filter_depth(rows), panel = depth * gemm_panel;
  at::parallel_for(0, (columns + gemm_panel - 1) / gemm_panel, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> part(static_cast<size_t>(panel));
    for (int64_t p = begin; p < end; ++p) {
      const int64_t first = p * gemm_panel, count = std::min(gemm_panel, columns - first);
      std::fill(part.begin(), part.end(), 0.0f);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < count; ++c) {
          const float* filter = g + (transposed ? r * inputs + first + c : (first + c) * inputs + r) * taps;
          for (int64_t tap = 0; tap < taps; ++tap) {
            const int64_t row = tap / 3 * (depth / 3) + tap % 3 * even(rows) + r;
            part[row * gemm_panel + c] = filter[transposed ? taps - 1 - tap : tap];
          }
        }
      pack_bf16({part.data(), gemm_panel, 1}, depth, gemm_panel, filters + p * panel);
    }
  });
}

void convolve_rounded(const ConvolutionShape& shape, const ConvolutionInput& input, const uint16_t* filters,
                      const ConvolutionOutput& output) {
  const Bf16Unit unit = bf16_unit();
  const PaddedShape padded = {shape.height, shape.width, shape.inputs};
  const int64_t band = std::clamp<int64_t>(band_pixels / padded.pitch(), 1, shape.height);
  const int64_t bands = (shape.height + band - 1) / band;
  const int64_t stride = (shape.outputs + gemm_panel - 1) / gemm_panel * gemm_panel;
  const PackedBf16 packed = {filters, filter_depth(shape.inputs), shape.outputs};
  at::parallel_for(0, shape.images * bands, 1, [&](int64_t begin, int64_t end) {
    RoundedImage rounded(unit, padded, input, band * padded.pitch() * stride);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / bands, top = i % bands * band, rows = std::min(band, shape.height - top);
      multiply_by(unit,
                  {.a = rounded.rows_from(image, top),
                   .rows = rows * padded.pitch() - 2,
                   .b = packed,
                   .start = {.bias = output.start ? output.start + image * output.start_stride : nullptr},
                   .c = rounded.sums(),
                   .c_stride = stride});
      write_rows(shape, output, rounded.sums(), stride, image, top, rows);
    }
  });
}

void rounded_filter_gradient(const ConvolutionShape& shape, const ConvolutionInput& input, const float* dy,
                             int64_t dy_pixel_stride, float* dg) {
  const Bf16Unit unit = bf16_unit();
  const GradientFactors factors(shape);
  const ConvolutionInput gradient = {.x = dy, .pixel_stride = dy_pixel_stride};
  const int64_t inputs = shape.inputs, outputs = shape.outputs;
  const std::vector<GradientPart> parts = gradient_parts(shape.images, factors.x.pixels(), factors.size());
  const int64_t blocks = (inputs + input_rows - 1) / input_rows, all = taps * inputs * outputs;
  auto* memory = scratch<float>(Scratch::shared, all + parts[0].images * factors.size() / 2);
  float* sums = memory;
  auto* images = reinterpret_cast<uint16_t*>(memory + all);
  SumOfParts total(static_cast<int64_t>(parts.size()), all);
  for (size_t p = 0; p < parts.size(); ++p) {
    const GradientPart& part = parts[p];
    if (part.first_pixel == 0)
      at::parallel_for(0, part.images, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          factors.fill(unit, input, gradient, part.first_image + i, images + i * factors.size());
      });
    at::parallel_for(0, taps * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t tap = k / blocks, row = k % blocks * input_rows,
                      rows = std::min(input_rows, inputs - row);
        const int64_t offset = (tap * inputs + row) * outputs, index = static_cast<int64_t>(p);
        float* to = SumOfParts::begins(index) ? sums + offset : scratch(Scratch::own, input_rows * outputs);
        std::fill_n(to, rows * outputs, 0.0f);
        for (int64_t i = 0; i < part.images; ++i)
          multiply_by(unit, factors.product(images + i * factors.size(), tap, part, row, rows, to));
        total.add(index, to, rows, outputs, sums + offset, outputs, offset);
      }
    });
  }
  write_filter_gradient(shape, sums, dg);
}

}  // namespace fokker::kernel
