#include "fokker/sde/scalar_linear_sde.h"

#include <array>
#include <cmath>

#include "fokker/core/check.h"

namespace fokker {
namespace {

/// Integral of f over [a, b]: five-point Gauss-Legendre on 64 equal panels.
double quadrature(const std::function<double(double)>& f, double a, double b) {
  constexpr std::array<double, 5> nodes{0, 0.53846931010568309, -0.53846931010568309, 0.90617984593866399,
                                        -0.90617984593866399};
  constexpr std::array<double, 5> weights{0.56888888888888889, 0.47862867049936647, 0.47862867049936647,
                                          0.23692688505618909, 0.23692688505618909};
  constexpr int panels = 64;
  const double half = (b - a) / (2 * panels);
  double sum = 0;
  for (int panel = 0; panel < panels; ++panel)
    for (size_t i = 0; i < nodes.size(); ++i) sum += weights[i] * f(a + half * (2 * panel + 1 + nodes[i]));
  return sum * half;
}

}  // namespace

TransitionCoefficients ScalarLinearSde::transition(double s, double t) const {
  check(rate && dispersion && phi, "ScalarLinearSde: expected the functions rate, dispersion and phi");
  check(0 <= s && s <= t, "ScalarLinearSde: expected 0 <= s <= t but received s = {}, t = {}", s, t);
  const double scale = phi(t);
  const auto integrand = [this](double u) { return std::pow(dispersion(u) / phi(u), 2); };
  const double integral =
      noise_integral ? noise_integral(t) - noise_integral(s) : quadrature(integrand, s, t);
  return {scale / phi(s), scale * scale * integral};
}

double ScalarLinearSde::variance(double t, double variance0) const {
  const TransitionCoefficients law = transition(0, t);
  return law.scale * law.scale * variance0 + law.variance;
}

Sde ScalarLinearSde::sde(int64_t dimension) const {
  check(rate && dispersion, "ScalarLinearSde: expected the functions rate and dispersion");
  Sde result;
  result.dimension = dimension;
  result.drift = [rate = rate](const Tensor& x, double t) { return rate(t) * x; };
  result.dispersion = Dispersion::scalar(dispersion);
  return result;
}

}  // namespace fokker
