#include "fokker/course/verify/problems.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fokker/core/check.h"
#include "fokker/course/verify/statistic.h"

namespace fokker::verify {
namespace {

Tensor vector(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// Every point of `a` with every point of `b`.
Quadrature product(const Quadrature& a, const Quadrature& b) {
  const int64_t n = a.x.size(0), m = b.x.size(0);
  return {at::cat({a.x.repeat_interleave(m, 0), b.x.repeat({n, 1})}, 1),
          a.weights.repeat_interleave(m) * b.weights.repeat({n})};
}

/// The time in [0, 1] at which an increasing function has the value.
double inverse(const std::function<double(double)>& f, double value) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (f(middle) < value ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double euler_error_of(const GaussianProcess& process, double variance, const std::vector<double>& times) {
  const auto variance_at = [&](double t) {
    return std::pow(process.alpha(t), 2) * variance + std::pow(process.sigma(t), 2);
  };
  const StateFunction score = [&](const Tensor& x, double t) { return -x / variance_at(t); };
  const Sde back = reverse(forward_sde(process, 1), score, 1.0);
  const Tensor one = at::ones({1, 1}, at::kDouble);
  double V = variance_at(1 - times.front());
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    const double h = times[i + 1] - times[i], g = back.dispersion.value(one, times[i]).item<double>();
    V = std::pow(1 + h * drift(back, one, times[i]).item<double>(), 2) * V + h * g * g;
  }
  const double exact = variance_at(1 - times.back());
  return std::abs(V - exact) / exact;
}

}  // namespace

Quadrature normal_quadrature(int64_t dimension, int64_t points, double reach) {
  const Tensor axis = at::linspace(-reach, reach, points, at::kDouble);
  const Tensor density = (-0.5 * axis.square()).exp();
  const Quadrature line{axis.unsqueeze(1), density / density.sum()};
  Quadrature all = line;
  for (int64_t i = 1; i < dimension; ++i) all = product(all, line);
  return all;
}

Quadrature mixture_quadrature(const GaussianMixture& mixture, int64_t points, double reach) {
  const double narrowest = std::sqrt(variances_of(mixture).front());
  std::vector<Tensor> x, weights;
  for (int64_t k = 0; k < mixture.components(); ++k) {
    // A component much wider than another has nodes as near to one another as the narrow one needs.
    const Tensor variances = at::linalg_eigvalsh(mixture.component_covariance(k));
    const double ratio = std::sqrt(variances[-1].item<double>()) / narrowest;
    const auto mine = static_cast<int64_t>(static_cast<double>(points) * std::max(1.0, ratio / 2)) | 1;
    const Quadrature z = normal_quadrature(mixture.dimension(), mine, reach);
    const Tensor L = at::linalg_cholesky(mixture.component_covariance(k));
    x.push_back(mixture.means()[k] + z.x.matmul(L.t()));
    weights.push_back(mixture.weights()[k] * z.weights);
  }
  return {at::cat(x), at::cat(weights)};
}

NoisedQuadrature noised_quadrature(const GaussianMixture& mixture, int64_t points, double reach) {
  const int64_t d = mixture.dimension();
  const Quadrature pairs =
      product(mixture_quadrature(mixture, points, reach), normal_quadrature(d, points, reach));
  return {pairs.x.narrow(1, 0, d), pairs.x.narrow(1, d, d), pairs.weights};
}

std::vector<double> variances_of(const GaussianMixture& mixture) {
  std::vector<double> all;
  const auto add = [&](const Tensor& covariance) {
    const Tensor values = at::linalg_eigvalsh(covariance);
    for (int64_t i = 0; i < values.size(0); ++i) all.push_back(values[i].item<double>());
  };
  for (int64_t k = 0; k < mixture.components(); ++k) add(mixture.component_covariance(k));
  add(mixture.covariance());
  std::sort(all.begin(), all.end());
  return all;
}

Line line_over(const GaussianMixture& mixture, double finest, double reach) {
  double low = std::numeric_limits<double>::infinity(), high = -low, narrow = finest;
  for (int64_t k = 0; k < mixture.components(); ++k) {
    const double mean = mixture.means()[k].item<double>(),
                 deviation = std::sqrt(mixture.component_covariance(k).item<double>());
    low = std::min(low, mean - reach * deviation);
    high = std::max(high, mean + reach * deviation);
    narrow = std::min(narrow, deviation);
  }
  return line(low, high, std::lround(std::ceil(8 * (high - low) / narrow)));
}

Setting skewed_setting(LawLimits limits) {
  return Setting::law([] { return course::Laws{skewed_mixture()}; }, "0.3 N(-2, 0.25) + 0.7 N(1.5, 0.64)",
                      limits);
}

Setting tilted_setting(LawLimits limits) {
  return Setting::law([] { return course::Laws{tilted_mixture()}; }, "a tilted mixture of two in the plane",
                      limits);
}

Setting skewed_and_tilted_setting(LawLimits limits) {
  return Setting::law(
      [] {
        return course::Laws{skewed_mixture(), tilted_mixture()};
      },
      "a mixture of two on the line, then one in the plane", limits);
}

GaussianMixture skewed_mixture() {
  return GaussianMixture(vector({0.3, 0.7}), vector({-2, 1.5}).unsqueeze(1), vector({0.25, 0.64}));
}

GaussianMixture tilted_mixture() {
  return GaussianMixture(vector({0.3, 0.7}), vector({-1, 0.5, 1, -0.5}).reshape({2, 2}),
                         vector({0.5, 0.2, 0.2, 0.4, 0.3, 0, 0, 0.8}).reshape({2, 2, 2}));
}

GaussianMixture two_modes() {
  return GaussianMixture(vector({0.2, 0.8}), vector({-5, -5, 5, 5}).reshape({2, 2}), vector({1, 1}));
}

GaussianMixture two_modes_projected() {
  const double distance = 5 * std::sqrt(2.0);
  return GaussianMixture(vector({0.2, 0.8}), vector({-distance, distance}).unsqueeze(1), vector({1, 1}));
}

Tensor mixture_distribution(const GaussianMixture& mixture, const Tensor& x) {
  Tensor sum = at::zeros_like(x);
  for (int64_t k = 0; k < mixture.components(); ++k) {
    const double deviation = std::sqrt(mixture.component_covariance(k).item<double>());
    sum += mixture.weights()[k] * normal_distribution((x - mixture.means()[k][0]) / deviation);
  }
  return sum;
}

NoiseSource one_draw_a_row(int64_t& drawn) {
  return [&drawn](IntArrayRef shape, DrawPosition) {
    Tensor z = at::zeros(shape, at::kDouble);
    z[++drawn][0] = 1;
    return z;
  };
}

std::vector<Field> unrelated_fields() {
  return {{"s = 0.3 x", [](const Tensor& x) { return 0.3 * x; }},
          {"s = sin 2x - x/2", [](const Tensor& x) { return (2 * x).sin() - 0.5 * x; }},
          {"s = turned x + tanh x",
           [](const Tensor& x) { return at::roll(x, 1, 1) * 0.7 * (x.narrow(1, 0, 1)).cos() + x.tanh(); }},
          {"s = x^2/4 - 1", [](const Tensor& x) { return 0.25 * x.square() - 1; }}};
}

std::vector<Tensor> states_at(const Sde& sde, const Tensor& start, const std::vector<double>& times,
                              const std::vector<int64_t>& steps, const Rng& rng,
                              std::optional<SdeMethod> method) {
  std::vector<Tensor> states;
  simulate(sde, start.to(at::kDouble), times,
           {.method = method, .noise = wiener_increments(rng), .observer = [&](const SdeState& s) {
              if (std::find(steps.begin(), steps.end(), s.step) != steps.end()) states.push_back(s.x);
            }});
  return states;
}

Tensor end_state(const Sde& sde, const Tensor& start, const std::vector<double>& times, const Rng& rng,
                 std::optional<SdeMethod> method) {
  return states_at(sde, start, times, {static_cast<int64_t>(times.size()) - 1}, rng, method).at(0);
}

std::vector<double> reversal_times(const GaussianProcess& process, double variance, int64_t steps,
                                   double pull) {
  const auto spread = [&](double t) {
    const double ratio = process.sigma(t) / process.alpha(t);
    return std::log(variance + ratio * ratio) + pull * t;
  };
  const double first = spread(1), last = spread(0);
  std::vector<double> times;
  for (int64_t i = 0; i <= steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps);
    times.push_back(1 - inverse(spread, first + share * (last - first)));
  }
  times.front() = 0;
  times.back() = 1;
  return times;
}

double euler_error(const GaussianProcess& process, const std::vector<double>& variances,
                   const std::vector<double>& times) {
  double largest = 0;
  for (const double v : variances) largest = std::max(largest, euler_error_of(process, v, times));
  return largest;
}

// Rates exp((l_j - l_i) / 2) / spacing^2 to the neighbours keep exp(l) in detailed balance; symmetrised by
// the square roots of the weights, all off-diagonal entries are 1 / spacing^2.
LangevinSpectrum::LangevinSpectrum(const Tensor& grid, const Tensor& log_density) {
  const int64_t n = grid.size(0);
  const double rate = std::pow((grid[1] - grid[0]).item<double>(), -2);
  const Tensor rise = 0.5 * log_density.diff();
  Tensor leaving = at::zeros({n}, at::kDouble);
  leaving.narrow(0, 0, n - 1) += rate * rise.exp();
  leaving.narrow(0, 1, n - 1) += rate * (-rise).exp();
  const Tensor beside = at::full({n - 1}, rate, at::kDouble);
  std::tie(values_, vectors_) =
      at::linalg_eigh(at::diag(-leaving) + at::diag(beside, 1) + at::diag(beside, -1));
  root_ = at::softmax(log_density, 0).sqrt();
}

double LangevinSpectrum::correlation(const Tensor& f, const Tensor& g, double t) const {
  const Tensor a = (root_ * f).matmul(vectors_), b = (root_ * g).matmul(vectors_);
  return (a * (values_ * t).exp() * b).sum().item<double>();
}

double LangevinSpectrum::gap() const {
  return -values_[-2].item<double>();
}

UlaLaw::UlaLaw(const Tensor& grid, const Tensor& score, double step) {
  const double spacing = (grid[1] - grid[0]).item<double>();
  check(spacing < std::sqrt(2 * step), "UlaLaw: expected a spacing below the noise {} but received {}",
        std::sqrt(2 * step), spacing);
  const Tensor away = grid.unsqueeze(0) - (grid + step * score).unsqueeze(1);
  const Tensor weights = (away.square() * (-0.25 / step)).exp();
  kernel_ = weights / weights.sum(1, /*keepdim=*/true);
}

Tensor UlaLaw::after(Tensor density, int64_t steps) const {
  for (int64_t i = 0; i < steps; ++i) density = density.unsqueeze(0).matmul(kernel_).squeeze(0);
  return density;
}

}  // namespace fokker::verify
