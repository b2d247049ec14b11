#pragma once
#include "fokker/core/error.h"
#include "fokker/data/image.h"

namespace fokker {

/// Holds the size that an image's header claims against the limits.
inline void check_image_size(const std::string& name, int64_t height, int64_t width) {
  check_input(height > 0 && width > 0 && height <= largest_image_side && width <= largest_image_side &&
                  height * width <= most_image_pixels,
              "{}: expected an image of at most {} x {} pixels but it claims {} x {}", name,
              largest_image_side, largest_image_side, width, height);
}

/// (height, width, channels) as decoders write it -> (channels, height, width).
inline Tensor channels_first(const Tensor& interleaved) {
  return interleaved.permute({2, 0, 1}).contiguous();
}

}  // namespace fokker
