#include "fokker/process/difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace fokker::detail {
namespace {

constexpr int points = 9;
constexpr double largest_spacing = 2e-3, spacing_ratio = 8;
constexpr int most_spacings = 20;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

/// Weights of the derivative at node j of the polynomial through nodes 0..n-1 of unit spacing, of the
/// differences to its value there.
std::array<double, points> node_weights(int n, int j) {
  std::array<double, points> weights{};
  const auto others = [n](int i, int skipped) {
    double product = 1;
    for (int k = 0; k < n; ++k)
      if (k != i && k != skipped) product *= i - k;
    return product;
  };
  for (int i = 0; i < n; ++i) {
    if (i == j) continue;
    weights[static_cast<size_t>(i)] = others(j, i) / (others(i, j) * (i - j));
  }
  return weights;
}

struct Differentiated {
  double value = 0, truncation = 0, rounding = 0;
  double error() const { return truncation + rounding; }
};

/// From the nine points t + (i - j) h, and seven of them for the estimate of the error.
Differentiated differentiate(const std::function<double(double)>& f, double t, double h) {
  const auto room = [h](double distance) { return static_cast<int>(std::min(distance / h, 100.0)); };
  const int below = std::clamp(room(t), 0, 4), above = std::clamp(room(1 - t), 0, 4);
  const int j = above < 4 ? points - 1 - above : below;
  const int drop = j < 2 ? 0 : j > points - 3 ? 2 : 1;  // of two points, how many from the front
  const auto wide = node_weights(points, j), narrow = node_weights(points - 2, j - drop);
  const double middle = f(t);
  double value = 0, lower = 0, size = 0;
  for (int i = 0; i < points; ++i) {
    if (i == j) continue;
    const double y = f(std::clamp(t + (i - j) * h, 0.0, 1.0)), weight = wide[static_cast<size_t>(i)];
    value += weight * (y - middle);
    size += std::abs(weight) * (std::abs(y) + std::abs(middle));
    if (i >= drop && i < points - 2 + drop) lower += narrow[static_cast<size_t>(i - drop)] * (y - middle);
  }
  // A time is rounded too: the function is seen at points off by epsilon t.
  const double shift = std::abs(value) * (t + h) / h;
  return {value / h, std::abs(value - lower) / h, epsilon * (size + shift) / h};
}

}  // namespace

double derivative(const std::function<double(double)>& f, double t) {
  Differentiated best, first, last;
  for (int k = 0; k < most_spacings; ++k) {
    last = differentiate(f, t, largest_spacing * std::pow(spacing_ratio, -k));
    if (k == 0) best = first = last;
    if (last.error() < best.error()) best = last;
    if (!(last.truncation > last.rounding)) break;
  }
  const bool at_end = t <= 0 || t >= 1;
  const bool grows = std::abs(last.value) > 1e3 * std::abs(first.value);
  if (at_end && grows && last.truncation > 0.01 * std::abs(last.value))
    return std::copysign(std::numeric_limits<double>::infinity(), last.value);
  return best.value;
}

double decreasing_root(const std::function<double(double)>& f, double value) {
  double low = 0, high = 1, above = f(0) - value, below = f(1) - value;
  if (!(above > 0)) return 0;
  if (!(below < 0)) return 1;
  for (int side = 0; high - low > epsilon * high;) {
    // Illinois: false position, with the weight of an end that stays put halved; bisection where an end is
    // infinite or the two differ by far.
    double t = 0.5 * (low + high);
    const bool far = !std::isfinite(above - below) || high > 4 * low || std::abs(side) > 3;
    if (!far) t = std::clamp((low * below - high * above) / (below - above), low, high);
    if (far) side = 0;
    if (t <= low || t >= high) t = 0.5 * (low + high);
    if (t <= low || t >= high) break;
    const double y = f(t) - value;
    if (y == 0) return t;
    const bool is_above = y > 0;
    (is_above ? low : high) = t;
    (is_above ? above : below) = y;
    if (!far && is_above == (side > 0) && side != 0) (is_above ? below : above) *= 0.5;
    side = is_above ? std::max(side, 0) + 1 : std::min(side, 0) - 1;
  }
  return 0.5 * (low + high);
}

}  // namespace fokker::detail
