#include "fokker/course/verify/quadrature.h"

#include <cmath>
#include <numbers>

namespace fokker::verify {

Line line(double begin, double end, int64_t intervals) {
  return {at::linspace(begin, end, intervals + 1, at::kDouble),
          (end - begin) / static_cast<double>(intervals)};
}

double expectation(const Tensor& log_weights, const Tensor& values) {
  return (log_weights.softmax(0) * values).sum().item<double>();
}

double variance_under(const Tensor& log_weights, const Tensor& values) {
  return expectation(log_weights, (values - expectation(log_weights, values)).square());
}

Tensor normal_log_density(const Tensor& x, double mean, double variance) {
  return -0.5 * ((x - mean).square() / variance + std::log(2 * std::numbers::pi * variance));
}

double observed_order(const std::vector<double>& steps, const std::vector<double>& errors) {
  return std::log(errors.front() / errors.back()) / std::log(steps.front() / steps.back());
}

double largest(const Tensor& difference) {
  return difference.abs().max().item<double>();
}

}  // namespace fokker::verify
