#include "fokker/plot/chart/values.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker::plot {
namespace {

std::string wanted_shape(IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return text + ")";
}

bool fits(IntArrayRef actual, IntArrayRef wanted) {
  return actual.size() == wanted.size() && std::equal(actual.begin(), actual.end(), wanted.begin(),
                                                      [](int64_t a, int64_t w) { return w < 0 || a == w; });
}

}  // namespace

Tensor finite_values(const char* what, const Tensor& values, IntArrayRef shape) {
  check_input(values.defined() && !values.is_complex(), "{}: expected a tensor of real numbers", what);
  check_input(fits(values.sizes(), shape), "{}: expected shape {} but received {}", what, wanted_shape(shape),
              shape_string(values));
  Tensor result = values.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* data = result.data_ptr<double>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    if (std::isfinite(data[i])) [[likely]]
      continue;
    const int64_t row_size = std::max<int64_t>(1, event_size(result.sizes()));
    fail(ErrorKind::input, "{}: expected finite values but received {} in row {}", what, data[i],
         i / row_size);
  }
  return result;
}

std::vector<Point> finite_points(const char* what, const Tensor& values) {
  const Tensor checked = finite_values(what, values, {-1, 2});
  const double* data = checked.data_ptr<double>();
  std::vector<Point> points(static_cast<size_t>(checked.size(0)));
  for (size_t i = 0; i < points.size(); ++i) points[i] = {data[2 * i], data[2 * i + 1]};
  return points;
}

std::vector<double> to_vector(const Tensor& values) {
  const double* data = values.data_ptr<double>();
  return {data, data + values.numel()};
}

Range range_of(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

Range limits_over_time(const Tensor& states, int64_t coordinate) {
  const Tensor values = states.select(2, coordinate);
  return padded_limits({values.min().item<double>(), values.max().item<double>()}, Scale::linear, kPadding);
}

PointBounds bounds_of(const std::vector<Point>& points) {
  PointBounds bounds{{points[0].x, points[0].x}, {points[0].y, points[0].y}};
  for (const Point& p : points) {
    bounds.x = {std::min(bounds.x.low, p.x), std::max(bounds.x.high, p.x)};
    bounds.y = {std::min(bounds.y.low, p.y), std::max(bounds.y.high, p.y)};
  }
  return bounds;
}

}  // namespace fokker::plot
