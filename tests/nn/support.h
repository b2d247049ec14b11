#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.h"
#include "fokker/core/error.h"
#include "fokker/core/random/rng.h"
#include "fokker/nn/network.h"

namespace fokker::testing {

using fokker::expect_error;

/// Largest absolute difference.
inline double difference(const Tensor& a, const Tensor& b) {
  return a.numel() ? (a - b).abs().max().item<double>() : 0;
}

/// Gives every parameter random values (layers that start at zero would hide errors) in float64.
inline void randomise(Network& network, uint64_t seed, double scale = 0.3) {
  network.to(at::kCPU, at::kDouble);
  GradientMode off(false);
  for (const auto& p : network.parameters()) {
    Tensor tensor = p.tensor;
    tensor.copy_(Rng(seed).stream(p.name).normal(p.tensor.sizes(), {}, at::kDouble).mul_(scale));
  }
}

/// Compares gradients of sum(weights * forward) with central differences along one random direction in x, and
/// at single entries of the named parameters.
inline void expect_gradients(Network& network, const Tensor& x, const Tensor& time, const Tensor& label,
                             const std::vector<std::string>& names) {
  const Tensor input = x.detach().clone().set_requires_grad(true);
  const Tensor weights = Rng(99).normal(network.forward(x, time, label).sizes(), {}, at::kDouble);
  const auto loss = [&](const Tensor& at_x) { return (network.forward(at_x, time, label) * weights).sum(); };
  std::vector<Tensor> variables = {input};
  for (const auto& name : names) variables.push_back(network.parameter(name));
  const auto exact = gradients(loss(input), variables, false);
  GradientMode off(false);
  const double h = 1e-5;
  const Tensor direction = Rng(98).normal(x.sizes(), {}, at::kDouble);
  const double along = ((loss(x + h * direction) - loss(x - h * direction)) / (2 * h)).item<double>();
  const double expected = (exact[0] * direction).sum().item<double>();
  EXPECT_NEAR(expected, along, 1e-6 * (1 + std::abs(along)));
  EXPECT_GT(std::abs(along), 1e-6);
  for (size_t i = 0; i < names.size(); ++i) {
    Tensor flat = variables[i + 1].view(-1);
    // The entry of the largest gradient, so that the comparison says something.
    const int64_t k = exact[i + 1].abs().reshape(-1).argmax().item<int64_t>();
    const double value = flat[k].item<double>();
    flat[k] = value + h;
    const double up = loss(x).item<double>();
    flat[k] = value - h;
    const double down = loss(x).item<double>();
    flat[k] = value;
    const double numeric = (up - down) / (2 * h);
    EXPECT_NEAR(exact[i + 1].reshape(-1)[k].item<double>(), numeric, 1e-6 * (1 + std::abs(numeric)))
        << names[i];
    EXPECT_GT(std::abs(numeric), 1e-6) << names[i];
  }
}

inline std::vector<std::string> names(const Network& network) {
  std::vector<std::string> result;
  for (const auto& p : network.parameters()) result.push_back(p.name);
  return result;
}

}  // namespace fokker::testing
