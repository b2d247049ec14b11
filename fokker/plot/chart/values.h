#pragma once
#include <vector>

#include "fokker/core/tensor.h"
#include "fokker/plot/canvas/geometry.h"

namespace fokker::plot {

/// `values` as contiguous float64 on the CPU, without gradient. Input error, naming `what` and the place,
/// where the shape differs from `shape` (-1 matches any size) or a value is not finite.
Tensor finite_values(const char* what, const Tensor& values, IntArrayRef shape);

/// As above for points of shape (n, 2).
std::vector<Point> finite_points(const char* what, const Tensor& values);

/// The numbers of a tensor that `finite_values` returned, in order.
std::vector<double> to_vector(const Tensor& values);

/// The range of at least one number.
Range range_of(const std::vector<double>& values);

/// Limits with padding that show one coordinate of states (times, n, d) at all times.
Range limits_over_time(const Tensor& states, int64_t coordinate);

struct PointBounds {
  Range x;
  Range y;
};
/// The bounding box of at least one point.
PointBounds bounds_of(const std::vector<Point>& points);

}  // namespace fokker::plot
