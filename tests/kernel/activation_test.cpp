#include "fokker/kernel/vector/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace fokker::kernel {
namespace {

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}
double below(double x) {
  return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2);
}

double value_of(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::silu:
      return x * logistic(x);
    case ActivationKind::elu:
      return x > 0 ? x : std::expm1(x);
    case ActivationKind::relu:
      return std::max(x, 0.0);
    case ActivationKind::gelu:
      return x * below(x);
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::softplus:
      return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }
  return 0;
}

double slope_of(ActivationKind kind, double x) {
  const double s = logistic(x);
  switch (kind) {
    case ActivationKind::silu:
      return s * (1 + x * (1 - s));
    case ActivationKind::elu:
      return x > 0 ? 1 : std::exp(x);
    case ActivationKind::relu:
      return x > 0;
    case ActivationKind::gelu:
      return below(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    case ActivationKind::tanh:
      return 1 / (std::cosh(x) * std::cosh(x));
    case ActivationKind::softplus:
      return s;
  }
  return 0;
}

class ActivationKernel : public testing::TestWithParam<ActivationKind> {
 protected:
  static constexpr int64_t rows = 3, columns = 6671, stride = 6680;
  // Cubes: many small arguments, and some as large as 120.
  std::vector<float> x = [] {
    std::vector<float> values(rows * stride);
    for (size_t i = 0; i < values.size(); ++i) {
      const double u = 2.0 * static_cast<double>(i) / static_cast<double>(values.size()) - 1;
      values[i] = static_cast<float>(120 * u * u * u);
    }
    return values;
  }();
};

TEST_P(ActivationKernel, ValuesAreWithinTheirError) {
  std::vector<float> y(x.size(), -7.0f);
  activate(GetParam(), {x.data(), stride}, rows, columns, {y.data(), stride});
  for (int64_t i = 0; i < rows * stride; ++i) {
    const bool inside = i % stride < columns;
    const double tolerance = inside ? 5e-7 * std::max(1.0, std::abs(static_cast<double>(x[i]))) : 0;
    ASSERT_NEAR(y[i], inside ? value_of(GetParam(), x[i]) : -7.0, tolerance) << "at " << x[i];
  }
  activate(GetParam(), {x.data(), stride}, rows, columns, {x.data(), stride});
  for (int64_t i = 0; i < columns; ++i) ASSERT_EQ(x[i], y[i]) << "in place";
}

TEST_P(ActivationKernel, SlopesMultiplyGradients) {
  std::vector<float> gradient(x.size(), 3.0f);
  multiply_by_slope(GetParam(), {x.data(), stride}, rows, columns, {gradient.data(), stride});
  for (int64_t i = 0; i < rows * stride; ++i) {
    const bool inside = i % stride < columns;
    const double tolerance = inside ? 15e-7 * (1 + std::abs(static_cast<double>(x[i]))) : 0;
    ASSERT_NEAR(gradient[i], inside ? 3 * slope_of(GetParam(), x[i]) : 3.0, tolerance) << "at " << x[i];
  }
}

INSTANTIATE_TEST_SUITE_P(All, ActivationKernel,
                         testing::Values(ActivationKind::silu, ActivationKind::elu, ActivationKind::relu,
                                         ActivationKind::gelu, ActivationKind::tanh,
                                         ActivationKind::softplus));

}  // namespace
}  // namespace fokker::kernel
