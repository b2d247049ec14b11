// Planar shapes with an exact sampler. Every sampler draws a fixed count of numbers per sample, keyed by its
// index.
#include <numbers>

#include "fokker/core/error.h"
#include "fokker/target/registry.h"

namespace fokker {
namespace {

constexpr double pi = std::numbers::pi;

Tensor uniforms(int64_t count, int64_t columns, const Rng& rng) {
  return rng.stream("uniform").uniform({count, columns}, {}, at::kDouble);
}
Tensor normals(int64_t count, const Rng& rng) {
  return rng.stream("noise").normal({count, 2}, {}, at::kDouble);
}
Tensor from_polar(const Tensor& radius, const Tensor& angle) {
  return at::stack({radius * angle.cos(), radius * angle.sin()}, 1);
}

using Sampler = std::function<Tensor(int64_t, const Rng&)>;

std::unique_ptr<Distribution> shape(std::string name, Sampler sampler) {
  DistributionFunctions functions;
  functions.name = std::move(name);
  functions.dimension = 2;
  functions.sample = std::move(sampler);
  return std::make_unique<FunctionDistribution>(std::move(functions));
}

/// Two interleaved half circles of radius 1: one about (0, 0), the other, upside down, about (1, 0.5).
std::unique_ptr<Distribution> moons(Spec& p) {
  return shape("moons", [noise = p.number("noise", 0.1, 0)](int64_t n, const Rng& rng) {
    const Tensor u = uniforms(n, 2, rng);
    const Tensor angle = pi * u.select(1, 0);
    const Tensor upper = from_polar(at::ones_like(angle), angle);
    const Tensor lower = at::tensor({1.0, 0.5}, at::kDouble) - upper;
    return at::where((u.select(1, 1) < 0.5).unsqueeze(1), upper, lower) + noise * normals(n, rng);
  });
}

/// Radius R + noise z with R uniform on 1..rings, angle uniform: p(x) = mean_R N(|x|; R, noise^2) / (2 pi
/// |x|). (The mass at negative radii, below 1e-15 for noise <= 1/8, is left out of the density.)
std::unique_ptr<Distribution> rings(Spec& p) {
  const int64_t count = p.integer("rings", 3, 1);
  const double noise = p.number("noise", 0.08, 0);
  const Tensor radii = at::arange(1, count + 1, at::kDouble);
  DistributionFunctions functions;
  functions.name = "rings";
  functions.dimension = 2;
  functions.sample = [=](int64_t n, const Rng& rng) {
    const Tensor u = uniforms(n, 2, rng);
    const Tensor radius = (u.select(1, 0) * static_cast<double>(count)).floor() + 1;
    return from_polar(radius + noise * normals(n, rng).select(1, 0), 2 * pi * u.select(1, 1));
  };
  if (noise > 0) {
    const auto standardised = [=](const Tensor& x) { return (x.norm(2, {1}, true) - radii) / noise; };
    functions.log_density = [=](const Tensor& x) {
      return (-0.5 * standardised(x).square()).logsumexp(1) - x.norm(2, {1}).log() -
             std::log(static_cast<double>(count) * noise * std::sqrt(2 * pi) * 2 * pi);
    };
    functions.score = [=](const Tensor& x) {
      const Tensor z = standardised(x), radius = x.norm(2, {1}, true);
      const Tensor slope = -((-0.5 * z.square()).softmax(1) * z).sum(1, true) / noise - 1 / radius;
      return slope * x / radius;
    };
  }
  return std::make_unique<FunctionDistribution>(std::move(functions));
}

/// Uniform on the 8 dark squares, of side 2, of a 4 x 4 board on [-4, 4]^2: density 1/32 there. The lower
/// left one is dark.
std::unique_ptr<Distribution> checkerboard(Spec&) {
  DistributionFunctions functions;
  functions.name = "checkerboard";
  functions.dimension = 2;
  functions.sample = [](int64_t n, const Rng& rng) {
    const Tensor u = uniforms(n, 2, rng);
    const Tensor column = (u.select(1, 0) * 4).floor();
    // The height among the two dark squares of this column, then moved up by what lies below each.
    const Tensor height = u.select(1, 1) * 4;
    const Tensor y = height + 2 * (height / 2).floor() + 2 * column.remainder(2);
    return at::stack({u.select(1, 0) * 8 - 4, y - 4}, 1);
  };
  functions.log_density = [](const Tensor& x) {
    const Tensor square = ((x + 4) / 2).floor();
    const Tensor inside = ((square >= 0) & (square < 4)).all(1) & (square.sum(1).remainder(2) == 0);
    return at::where(inside, at::full({}, -std::log(32.0), x.options()),
                     at::full({}, -std::numeric_limits<double>::infinity(), x.options()));
  };
  return std::make_unique<FunctionDistribution>(std::move(functions));
}

/// Arms bent by an angle that grows with exp(radius); after Johnson et al. (2016), "Composing graphical
/// models with neural networks", section 1: u ~ N((1, 0), diag(0.3^2, 0.05^2)) rotated by 2 pi arm / arms +
/// exp(u_1) / 4, times 2.
std::unique_ptr<Distribution> pinwheel(Spec& p) {
  return shape("pinwheel", [arms = static_cast<double>(p.integer("arms", 5, 1))](int64_t n, const Rng& rng) {
    const Tensor z = normals(n, rng);
    const Tensor along = 1 + 0.3 * z.select(1, 0), across = 0.05 * z.select(1, 1);
    const Tensor arm = (uniforms(n, 1, rng).select(1, 0) * arms).floor();
    const Tensor angle = 2 * pi / arms * arm + 0.25 * along.exp();
    return 2 * (from_polar(along, angle) + from_polar(across, angle + pi / 2));
  });
}

/// Spiral of radius t / 5 at angle t, t uniform on (3 pi / 2, 9 pi / 2).
std::unique_ptr<Distribution> swiss_roll(Spec& p) {
  return shape("swiss-roll", [noise = p.number("noise", 0.1, 0)](int64_t n, const Rng& rng) {
    const Tensor angle = 1.5 * pi * (1 + 2 * uniforms(n, 1, rng).select(1, 0));
    return from_polar(angle / 5, angle) + noise * normals(n, rng);
  });
}

/// Two opposite spirals of radius 4 s at angle 3 pi s, s = sqrt(u): nearly uniform in arc length.
std::unique_ptr<Distribution> spirals(Spec& p) {
  return shape("spirals", [noise = p.number("noise", 0.1, 0)](int64_t n, const Rng& rng) {
    const Tensor u = uniforms(n, 2, rng);
    const Tensor s = u.select(1, 0).sqrt();
    const Tensor arm = (u.select(1, 1) < 0.5).to(at::kDouble);
    return from_polar(4 * s, 3 * pi * s + pi * arm) + noise * normals(n, rng);
  });
}

}  // namespace

std::vector<TargetRegistry::Entry> shape_targets() {
  return {
      {"moons", "two interleaved half circles", moons},
      {"rings", "concentric circles of radius 1, 2, ...", rings},
      {"checkerboard", "uniform on 8 squares of [-4, 4]^2", checkerboard},
      {"pinwheel", "bent arms", pinwheel},
      {"swiss-roll", "one spiral", swiss_roll},
      {"spirals", "two opposite spirals", spirals},
  };
}

}  // namespace fokker
