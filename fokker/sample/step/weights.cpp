#include "fokker/sample/step/weights.h"

#include <cmath>
#include <numbers>

#include "fokker/core/check.h"

namespace fokker {

double phi(int k, double z) {
  double factorial = 1;
  if (std::abs(z) < 1) {  // the recursion would divide a small difference by z
    for (int j = 2; j <= k; ++j) factorial *= j;
    double term = 1 / factorial, sum = 0;
    for (int j = 1; std::abs(term) > 1e-18; ++j) {
      sum += term;
      term *= z / (j + k);
    }
    return sum;
  }
  double value = std::exp(z);
  for (int j = 0; j < k; ++j) {
    if (j > 1) factorial *= j;
    value = (value - 1 / factorial) / z;
  }
  return value;
}

std::vector<double> interpolatory_weights(const std::vector<double>& nodes,
                                          const std::vector<double>& moments) {
  const size_t n = nodes.size();
  check(n == moments.size(), "interpolatory_weights: expected {} moments but received {}", n, moments.size());
  std::vector<double> weights;
  for (size_t j = 0; j < n; ++j) {
    // Coefficients of the Lagrange polynomial of node j, lowest power first.
    std::vector<double> polynomial{1.0};
    for (size_t i = 0; i < n; ++i) {
      if (i == j) continue;
      const double scale = 1 / (nodes[j] - nodes[i]);
      check(std::isfinite(scale), "interpolatory_weights: expected distinct nodes but received {} twice",
            nodes[i]);
      polynomial.push_back(0);
      for (size_t k = polynomial.size(); k-- > 0;)
        polynomial[k] = scale * ((k > 0 ? polynomial[k - 1] : 0) - nodes[i] * polynomial[k]);
    }
    double weight = 0;
    for (size_t k = 0; k < n; ++k) weight += polynomial[k] * moments[k];
    weights.push_back(weight);
  }
  return weights;
}

GaussRule gauss_legendre(int points) {
  GaussRule rule;
  for (int i = 1; i <= points; ++i) {
    // Newton's method on P_n from Tricomi's guess.
    double x = std::cos(std::numbers::pi * (i - 0.25) / (points + 0.5)), slope = 1;
    for (int iteration = 0; iteration < 50; ++iteration) {
      double value = 1, before = 0;
      for (int k = 1; k <= points; ++k)
        before = std::exchange(value, ((2 * k - 1) * x * value - (k - 1) * before) / k);
      slope = points * (x * value - before) / (x * x - 1);
      const double change = value / slope;
      x -= change;
      if (std::abs(change) < 1e-16) break;
    }
    rule.nodes.push_back(0.5 * (1 + x));
    rule.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

}  // namespace fokker
