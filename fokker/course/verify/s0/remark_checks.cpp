// S0, Remark 12.1 for a drift that is not linear: eq. 6 with the Euler kernel, and the O(h) of its expansion.
#include <cmath>
#include <numbers>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/sde/sde.h"

namespace fokker::verify {
namespace {

/// A diffusion dY = b dt + sigma dB on the line with a known law p_t = sum_c w_c N(m_c + v_c t, V_c) and a
/// drift that is not linear: the forward equation is solved by
///   b = sigma^2/2 (log p_t)' + E[v | x],   E[v | x] the responsibilities' average of v_c.
struct MovingMixture {
  double deviation;  ///< sigma
  std::vector<double> velocities = {0.8, -0.5};

  LineMixture law(double t) const {
    return {{0.4, 0.6}, {-1 + velocities[0] * t, 1 + velocities[1] * t}, {0.3, 0.5}};
  }
  /// x: (n) -> (n).
  Tensor drift(const Tensor& x, double t) const {
    const LineMixture p = law(t);
    const Tensor shares = p.mixture().responsibilities(x.unsqueeze(1));
    return 0.5 * deviation * deviation * p.score(x) + shares.matmul(at::tensor(velocities, at::kDouble));
  }
  Sde sde() const {
    return {.drift = [m = *this](const Tensor& x, double t) { return m.drift(x.squeeze(1), t).unsqueeze(1); },
            .dispersion = Dispersion::scalar(deviation),
            .dimension = 1};
  }
  /// Eq. 6: log p_{t-h}(y) - log p_t(x) + log N(x; y + h b(y), h sigma^2).
  Tensor log_conditional(const Tensor& y, const Tensor& x, double t, double h) const {
    return law(t - h).log_density(y) - law(t).log_density(x) +
           normal_log_density(x - y - h * drift(y, t - h), 0, h * deviation * deviation);
  }
};

constexpr double remark_time = 0.5;

/// The limit at h -> 0 of a function with an error of order h, by two steps of Richardson's extrapolation.
double limit_at_zero(const std::function<double(double h)>& f, double h) {
  const double a = f(h), b = f(h / 2), c = f(h / 4);
  return (4 * (2 * c - b) - (2 * b - a)) / 3;
}

void euler_conditional(const Trial& trial, Evidence& evidence) {
  const MovingMixture m{.deviation = trial.settings().real("sigma")};
  const bool scored = trial.has("score");
  const StateFunction score = [&](const Tensor& x, double t) {
    return scored ? m.law(t).score(x.squeeze(1)).unsqueeze(1) : at::zeros_like(x);
  };
  const Sde back = reverse(m.sde(), score, 1.0);
  for (const double at_x : {-1.5, -0.2, 0.6, 1.8}) {
    const Tensor x = at::full({1}, at_x, at::kDouble);
    const auto moment = [&](int power) {
      return [&, power](double h) {
        const double reach = 10 * m.deviation * std::sqrt(h);
        const Line y = line(at_x - reach, at_x + reach, 400);
        return y.integral(m.log_conditional(y.x, x, remark_time, h).exp() * (y.x - at_x).pow(power)) / h;
      };
    };
    const auto excess_mass = [&](double h) { return moment(0)(h) - 1 / h; };
    evidence.equal(fmt::format("(mass of eq. 6 - 1) / h at x = {}", at_x), {limit_at_zero(excess_mass, 0.01)},
                   0, 1e-4);
    evidence.equal(fmt::format("E[Y_(t-h) - x] / h at x = {}", at_x), {limit_at_zero(moment(1), 0.01)},
                   drift(back, x.unsqueeze(1), 1 - remark_time).item<double>(), 1e-4);
    evidence.equal(fmt::format("E[(Y_(t-h) - x)^2] / h at x = {}", at_x), {limit_at_zero(moment(2), 0.01)},
                   m.deviation * m.deviation, 1e-4);
  }
}

/// What the remark drops, at y = x + sigma sqrt(h) u with |u| <= 3: both remainders are of order h.
void euler_expansion(const Trial& trial, Evidence& evidence) {
  const MovingMixture m{.deviation = trial.settings().real("sigma")};
  const double s2 = m.deviation * m.deviation, t = remark_time;
  const std::vector<double> steps = {1e-4, 1e-5};
  std::vector<double> densities, exponents;
  for (const double h : steps) {
    double density = 0, exponent = 0;
    for (const double at_x : {-1.5, -0.2, 0.6, 1.8}) {
      const Tensor x = at::full({1}, at_x, at::kDouble);
      const Tensor y = x + m.deviation * std::sqrt(h) * at::linspace(-3, 3, 25, at::kDouble);
      const Tensor score = m.law(t).score(x) * (trial.has("score") ? 1.0 : 0.0);
      const Tensor drift_x = m.drift(x, t) * (trial.has("drift") ? 1.0 : 0.0);
      density =
          std::max(density, largest(m.law(t - h).log_density(y) - m.law(t).log_density(x) - (y - x) * score));
      const Tensor square = (y - x + h * drift_x - h * s2 * score).square() / (2 * h * s2);
      exponent = std::max(exponent, largest(m.log_conditional(y, x, t, h) + square +
                                            0.5 * std::log(2 * std::numbers::pi * h * s2)));
    }
    densities.push_back(density);
    exponents.push_back(exponent);
  }
  evidence.equal("order in h of log p_(t-h)(y) - log p_t(x) - (y - x) grad log p_t(x)",
                 {observed_order(steps, densities)}, 1, 0.03);
  evidence.equal("order in h of log (6) less its completed square", {observed_order(steps, exponents)}, 1,
                 0.03);
}

}  // namespace

void add_s0_remark(Checks& checks) {
  const Ingredient score{"score", "sigma^2 grad log p_t is left out"};
  const Setting sigma = Setting::real("sigma", 0.8, 0.3, 1, "noise of the diffusion");
  checks.push_back({.id = "s0.remark.euler-conditional",
                    .source = "S0, Remark 12.1, eqs. 5 and 6",
                    .statement = "Eq. 6 with Euler's kernel of a nonlinear b has the reversal's moments",
                    .measure = euler_conditional,
                    .ingredients = {score},
                    .settings = {sigma}});
  checks.push_back({.id = "s0.remark.expansion",
                    .source = "S0, Remark 12.1",
                    .statement = "The remark's two expansions of eq. 6 leave remainders of order h",
                    .measure = euler_expansion,
                    .ingredients = {score, {"drift", "the completed square leaves out h b(x)"}},
                    .settings = {sigma}});
}

}  // namespace fokker::verify
