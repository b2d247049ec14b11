// Energies: log density and score in closed form.
#include "fokker/core/constants.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

constexpr double smallest_scale = 1e-6;

Tensor normals(int64_t count, int64_t columns, const Rng& rng) {
  return rng.stream("noise").normal({count, columns}, {}, at::kDouble);
}
Tensor first(const Tensor& x) {
  return x.select(1, 0);
}
Tensor rest(const Tensor& x) {
  return x.slice(1, 1);
}
Tensor with_first(const Tensor& column, const Tensor& others) {
  return at::cat({column.unsqueeze(1), others}, 1);
}

std::unique_ptr<Distribution> made(DistributionFunctions functions) {
  return std::make_unique<FunctionDistribution>(std::move(functions));
}

/// Twisted Gaussian of Haario, Saksman and Tamminen (1999): x_1 ~ N(0, s^2), x_2 | x_1 ~ N(b (x_1^2 - s^2),
/// 1).
std::unique_ptr<Distribution> banana(Spec& p) {
  const double b = p.number("curvature", 0.25), s = p.number("scale", 2, smallest_scale);
  DistributionFunctions functions;
  functions.name = "banana";
  functions.dimension = 2;
  const auto bend = [=](const Tensor& x1) { return b * (x1.square() - s * s); };
  functions.log_density = [=](const Tensor& x) {
    const Tensor residual = x.select(1, 1) - bend(first(x));
    return -0.5 * (first(x).square() / (s * s) + residual.square()) - log_two_pi - std::log(s);
  };
  functions.score = [=](const Tensor& x) {
    const Tensor residual = x.select(1, 1) - bend(first(x));
    return at::stack({-first(x) / (s * s) + 2 * b * first(x) * residual, -residual}, 1);
  };
  functions.sample = [=](int64_t n, const Rng& rng) {
    const Tensor z = normals(n, 2, rng);
    const Tensor x1 = s * first(z);
    return at::stack({x1, z.select(1, 1) + bend(x1)}, 1);
  };
  return made(std::move(functions));
}

/// Neal (2003), "Slice sampling", section 8: v ~ N(0, 3^2), x_i | v ~ N(0, exp(v)) for the other d - 1
/// coordinates.
std::unique_ptr<Distribution> funnel(Spec& p) {
  const int64_t d = p.integer("dimension", 10, 2);
  const double s = p.number("scale", 3, smallest_scale), others = static_cast<double>(d - 1);
  DistributionFunctions functions;
  functions.name = "funnel";
  functions.dimension = d;
  functions.log_density = [=](const Tensor& x) {
    const Tensor v = first(x);
    return -0.5 * (v.square() / (s * s) + others * v + rest(x).square().sum(1) * (-v).exp() +
                   static_cast<double>(d) * log_two_pi) -
           std::log(s);
  };
  functions.score = [=](const Tensor& x) {
    const Tensor v = first(x), precision = (-v).exp();
    return with_first(-v / (s * s) - 0.5 * others + 0.5 * rest(x).square().sum(1) * precision,
                      -rest(x) * precision.unsqueeze(1));
  };
  functions.sample = [=](int64_t n, const Rng& rng) {
    const Tensor z = normals(n, d, rng);
    const Tensor v = s * first(z);
    return with_first(v, rest(z) * (0.5 * v).exp().unsqueeze(1));
  };
  return made(std::move(functions));
}

/// Energy h (x_1^2 - 1)^2 + |x_2..d|^2 / 2: minima at x_1 = -1 and 1, a barrier of height h at 0.
std::unique_ptr<Distribution> double_well(Spec& p) {
  const int64_t dimension = p.integer("dimension", 2, 1);
  const double h = p.number("height", 4, 0);
  DistributionFunctions functions;
  functions.name = "double-well";
  functions.dimension = dimension;
  functions.normalised = false;
  functions.log_density = [=](const Tensor& x) {
    return -h * (first(x).square() - 1).square() - 0.5 * rest(x).square().sum(1);
  };
  functions.score = [=](const Tensor& x) {
    return with_first(-4 * h * first(x) * (first(x).square() - 1), -rest(x));
  };
  return made(std::move(functions));
}

}  // namespace

std::vector<TargetRegistry::Entry> energy_targets() {
  return {
      {"banana", "twisted Gaussian", banana},
      {"funnel", "Neal's funnel: the first coordinate sets the scale of the others", funnel},
      {"double-well", "two wells along the first coordinate; not normalised", double_well},
  };
}

}  // namespace fokker
