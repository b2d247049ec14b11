#pragma once
#include "fokker/core/check.h"
#include "fokker/image/image.h"
#include "fokker/image/orientation.h"

namespace fokker {

/// Holds the size that an image's header claims against the limits.
inline void check_image_size(const std::string& name, int64_t height, int64_t width) {
  check_input(height > 0 && width > 0 && height <= largest_image_side && width <= largest_image_side &&
                  height * width <= most_image_pixels,
              "{}: expected an image of at most {} x {} pixels but it claims {} x {}", name,
              largest_image_side, largest_image_side, width, height);
}

/// Refuses a size that a file of these bytes cannot be meant to hold.
inline void check_claim(bool plausible, const std::string& name, std::string_view bytes, int64_t height,
                        int64_t width) {
  check_input(plausible, "{}: truncated: it claims {} x {} pixels but the file has {} bytes", name, width,
              height, bytes.size());
}

/// Deflate expands by at most 1032, so a short file cannot hold a large image; palettes and 1-bit pixels
/// expand by another 32.
inline void check_expansion(const std::string& name, std::string_view bytes, int64_t height, int64_t width,
                            int64_t bytes_per_pixel) {
  check_claim(height * width * bytes_per_pixel / (int64_t{1032} * 32) <= static_cast<int64_t>(bytes.size()),
              name, bytes, height, width);
}

/// How a decoder found its pixels.
struct DecodedFacts {
  int orientation = 1;
  bool deep = false, palette = false;
};

/// (height, width, channels) as decoders write it -> upright (channels, height, width).
inline Tensor decoded(const Tensor& interleaved, const DecodedFacts& found, ImageFacts* facts) {
  if (facts) *facts = {.turned = found.orientation != 1, .deep = found.deep, .palette = found.palette};
  return upright(interleaved.permute({2, 0, 1}), found.orientation);
}

/// Levels of 16 bits as floats in [-1, 1].
inline Tensor from_deep_levels(const Tensor& levels) {
  return levels.to(at::kFloat) / 32767.5 - 1;
}
/// The same of pairs of bytes, most significant first: (height, width, 2 channels) -> (height, width,
/// channels).
inline Tensor from_big_endian_levels(const Tensor& bytes) {
  const Tensor pairs = bytes.reshape({bytes.size(0), bytes.size(1), -1, 2});
  return from_deep_levels(pairs.select(3, 0).to(at::kInt) * 256 + pairs.select(3, 1));
}

}  // namespace fokker
