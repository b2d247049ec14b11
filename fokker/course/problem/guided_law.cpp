#include "fokker/course/problem/guided_law.h"

#include <array>
#include <cmath>

#include "fokker/core/boundary.h"
#include "fokker/core/check.h"

namespace fokker {
namespace {

/// A mixture on the line in plain numbers.
struct Component {
  double log_weight, mean, variance;
};

std::vector<Component> components_of(const GaussianMixture& mixture) {
  check(mixture.dimension() == 1 && mixture.has_density(),
        "GuidedLine: expected mixtures on the line with positive variances");
  std::vector<Component> all;
  for (int64_t k = 0; k < mixture.components(); ++k)
    all.push_back({std::log(mixture.weights()[k].item<double>()), mixture.means()[k][0].item<double>(),
                   mixture.component_covariance(k)[0][0].item<double>()});
  return all;
}

/// dz/dphi and its derivative in z.
struct Rate {
  double value = 0, slope = 0;
};

/// cos phi E[eps | z] - sin phi E[x_0 | z], component by component: nothing is divided by sin phi or cos phi.
Rate velocity(const std::vector<Component>& law, double z, double c, double s) {
  double top = -std::numeric_limits<double>::infinity();
  std::array<double, 8> logs{};
  check(law.size() <= logs.size(), "GuidedLine: expected at most {} components", logs.size());
  for (size_t k = 0; k < law.size(); ++k) {
    const double C = c * c * law[k].variance + s * s, r = z - c * law[k].mean;
    logs[k] = law[k].log_weight - 0.5 * (r * r / C + std::log(C));
    top = std::max(top, logs[k]);
  }
  double total = 0, value = 0, slope = 0, pull = 0, product = 0;
  for (size_t k = 0; k < law.size(); ++k) {
    const double C = c * c * law[k].variance + s * s, r = z - c * law[k].mean;
    const double weight = std::exp(logs[k] - top), gain = c * s * (1 - law[k].variance) / C;
    const double v = gain * r - s * law[k].mean;
    total += weight;
    value += weight * v;
    slope += weight * gain;
    pull += weight * -r / C;
    product += weight * v * -r / C;
  }
  return {value / total, slope / total + product / total - (value / total) * (pull / total)};
}

class GuidedFlow {
 public:
  explicit GuidedFlow(const GuidedLine& line)
      : line_(line), weak_(components_of(line.weak)), strong_(components_of(line.strong)) {
    check(line.steps > 0, "GuidedLine: expected steps > 0 but received {}", line.steps);
    // Steps end where guidance begins and ends.
    angles_ = {0, line.begin};
    for (const double level : {line.interval.low, line.interval.high})
      if (const double angle = std::atan(level); angle > 0 && angle < line.begin) angles_.push_back(angle);
    std::sort(angles_.begin(), angles_.end());
  }

  struct State {
    double z = 0, log_slope = 0;
  };
  /// Between the data (angle 0) and the begin.
  State run(double z, bool to_data) const {
    State state{z, 0};
    const size_t pieces = angles_.size() - 1;
    for (size_t i = 0; i < pieces; ++i) {
      const size_t j = to_data ? pieces - 1 - i : i;
      const double from = to_data ? angles_[j + 1] : angles_[j], to = to_data ? angles_[j] : angles_[j + 1];
      const double middle = std::tan(0.5 * (from + to));
      const bool guided = line_.interval.low <= middle && middle <= line_.interval.high;
      const auto steps = std::max<int64_t>(
          1, std::llround(static_cast<double>(line_.steps) * std::abs(to - from) / line_.begin));
      walk(state, from, (to - from) / static_cast<double>(steps), steps, guided ? line_.weight : 1.0);
    }
    return state;
  }

 private:
  Rate rate(double z, double phi, double weight) const {
    const double c = std::cos(phi), s = std::sin(phi);
    const Rate strong = velocity(strong_, z, c, s);
    if (weight == 1) return strong;
    const Rate weak = velocity(weak_, z, c, s);
    return {weak.value + weight * (strong.value - weak.value),
            weak.slope + weight * (strong.slope - weak.slope)};
  }

  void walk(State& state, double phi, double h, int64_t steps, double weight) const {
    for (int64_t i = 0; i < steps; ++i, phi += h) {
      const Rate a = rate(state.z, phi, weight), b = rate(state.z + 0.5 * h * a.value, phi + 0.5 * h, weight);
      const Rate c = rate(state.z + 0.5 * h * b.value, phi + 0.5 * h, weight);
      const Rate d = rate(state.z + h * c.value, phi + h, weight);
      state.z += h / 6 * (a.value + 2 * b.value + 2 * c.value + d.value);
      state.log_slope += h / 6 * (a.slope + 2 * b.slope + 2 * c.slope + d.slope);
    }
  }

  const GuidedLine& line_;
  std::vector<Component> weak_, strong_;
  std::vector<double> angles_;
};

double spacing(const Tensor& x) {
  return (x[1] - x[0]).item<double>();
}

double integral(const Tensor& values, double step) {
  return step * (values.sum() - 0.5 * (values[0] + values[-1])).item<double>();
}

}  // namespace

double LineLaw::mean() const {
  return integral(density * x, spacing(x));
}
double LineLaw::variance() const {
  return integral(density * (x - mean()).square(), spacing(x));
}
double total_variation(const LineLaw& a, const LineLaw& b) {
  return 0.5 * integral((a.density - b.density).abs(), spacing(a.x));
}
double wasserstein(const LineLaw& a, const LineLaw& b) {
  return integral((a.distribution - b.distribution).abs(), spacing(a.x));
}

Tensor carried_to_data(const GuidedLine& line, const Tensor& z) try {
  const GuidedFlow flow(line);
  const Tensor from = z.to(at::kDouble).contiguous();
  Tensor to = at::empty_like(from);
  for (int64_t i = 0; i < from.size(0); ++i)
    to.data_ptr<double>()[i] = flow.run(from.data_ptr<double>()[i], true).z;
  return to;
} catch (...) {
  detail::throw_as_error();
}

LineLaw guided_law(const GuidedLine& line, const Tensor& x) try {
  const GuidedFlow flow(line);
  const Tensor points = x.to(at::kDouble).contiguous();
  Tensor z = at::empty_like(points), slope = at::empty_like(points);
  for (int64_t i = 0; i < points.size(0); ++i) {
    const auto end = flow.run(points.data_ptr<double>()[i], false);
    z.data_ptr<double>()[i] = end.z;
    slope.data_ptr<double>()[i] = end.log_slope;
  }
  const Tensor density = (slope - 0.5 * z.square()).exp() / std::sqrt(2 * std::numbers::pi);
  return {points, density, 0.5 * at::erfc(-z / std::sqrt(2.0))};
} catch (...) {
  detail::throw_as_error();
}

LineLaw tilted_law(const GuidedLine& line, const Tensor& x) try {
  const Tensor points = x.to(at::kDouble).contiguous(), rows = points.unsqueeze(1);
  const Tensor logs =
      (1 - line.weight) * line.weak.log_density(rows) + line.weight * line.strong.log_density(rows);
  const Tensor raw = (logs - logs.max()).exp();
  const double step = spacing(points);
  const Tensor density = raw / integral(raw, step);
  return {points, density, step * (density.cumsum(0) - 0.5 * (density + density[0]))};
} catch (...) {
  detail::throw_as_error();
}

NormalMoments guided_normal(double mean, double variance) {
  const double root = std::sqrt(1 - variance);
  return {mean * (1 + variance * std::atanh(root) / root), variance * variance};
}

NormalMoments tilted_normal(double mean, double variance) {
  return {2 * mean / (2 - variance), variance / (2 - variance)};
}

namespace {

Tensor row(std::initializer_list<double> values) {
  return at::tensor(at::ArrayRef<double>(values), at::TensorOptions(at::kDouble));
}

}  // namespace

GaussianMixture guided_class(int64_t label) {
  if (label == 0) return GaussianMixture(row({1}), row({-1}).unsqueeze(1), row({0.25}));
  return GaussianMixture(row({0.7, 0.3}), row({0.5, 2}).unsqueeze(1), row({0.2, 0.1}));
}

GaussianMixture both_classes() {
  return GaussianMixture(row({0.5, 0.35, 0.15}), row({-1, 0.5, 2}).unsqueeze(1), row({0.25, 0.2, 0.1}));
}

}  // namespace fokker
