#pragma once
#include <gtest/gtest.h>

#include <cmath>

#include "fokker/core/tensor.h"
#include "fokker/plot/canvas/colour.h"
#include "fokker/plot/canvas/geometry.h"

namespace fokker::plot {

inline int level(const Tensor& image, int channel, Point at) {
  return image[channel][static_cast<int64_t>(std::floor(at.y))][static_cast<int64_t>(std::floor(at.x))]
      .item<uint8_t>();
}

/// Mean of the three channels of the pixel that contains the point.
inline double brightness(const Tensor& image, Point at) {
  return (level(image, 0, at) + level(image, 1, at) + level(image, 2, at)) / 3.0;
}

/// The darkest pixel within `reach` of the point.
inline double darkest(const Tensor& image, Point at, int reach) {
  double least = 255;
  for (int dx = -reach; dx <= reach; ++dx)
    for (int dy = -reach; dy <= reach; ++dy)
      least = std::min(least, brightness(image, {at.x + dx, at.y + dy}));
  return least;
}

inline void expect_pixel(const Tensor& image, Point at, Colour colour, double tolerance = 1) {
  EXPECT_NEAR(level(image, 0, at), colour.red * 255, tolerance) << at.x << ", " << at.y;
  EXPECT_NEAR(level(image, 1, at), colour.green * 255, tolerance) << at.x << ", " << at.y;
  EXPECT_NEAR(level(image, 2, at), colour.blue * 255, tolerance) << at.x << ", " << at.y;
}

}  // namespace fokker::plot
