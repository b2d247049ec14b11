// Each heuristic on a Gaussian prior against its own recursion: its exact bias, not a bound on it.
#include <gtest/gtest.h>

#include "condition/gaussian_case.h"
#include "fokker/condition/method/ddnm.h"
#include "fokker/condition/method/dps.h"
#include "fokker/condition/method/mmps.h"
#include "fokker/condition/method/pigdm.h"
#include "fokker/condition/method/replacement.h"
#include "fokker/core/random/rng.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ancestral.h"

namespace fokker {
namespace {

constexpr int64_t draws = 8'000;
constexpr double most = 5;  // standard errors, of some twenty numbers

Tensor draw(const PosteriorSampler& method, const GaussianCase& of, const TimeGrid& grid, uint64_t seed = 0) {
  const AnalyticDenoiser denoiser = of.denoiser();
  return method
      .sample(denoiser, of.measurement(), grid, {.draws = draws, .rng = Rng(seed), .type = at::kDouble})
      .x;
}

/// Holds the draws of each row against the recursion's law, and sees that they are not those of the
/// posterior, nor of the recursion with its mean or its covariance a little off.
void expect_law(const std::string& name, const PosteriorSampler& method, const GaussianCase& of,
                const TimeGrid& grid, const std::function<GaussianLaw(const Tensor& y)>& law_of,
                bool biased = true) {
  const Tensor x = draw(method, of, grid);
  for (const int64_t row : {0, 1}) {
    const GaussianLaw law = law_of(of.y[row]);
    EXPECT_LT(errors_from(x[row], law), most) << name << " row " << row;
    GaussianLaw shifted = law, wider = law;
    shifted.mean = law.mean + 2 * most * (law.covariance.diagonal() / static_cast<double>(draws)).sqrt();
    wider.covariance = law.covariance * (1 + 2 * most * std::sqrt(2.0 / static_cast<double>(draws)));
    EXPECT_GT(errors_from(x[row], shifted), most);
    EXPECT_GT(errors_from(x[row], wider), most);
    const GaussianMixture exact = exact_posterior(of.prior(), of.measurement(), row);
    const bool off = errors_from(x[row], {exact.mean(), exact.covariance()}) > 2 * most;
    EXPECT_TRUE(off || !biased) << name << " row " << row;
  }
}

/// alpha C (alpha^2 C + sigma^2)^-1 and what follows, step by step: `update` turns the affine map of the
/// estimate into that of the corrected one.
GaussianLaw reverse_chain(const GaussianCase& of, const TimeGrid& grid,
                          const std::function<void(double t, const ReverseStep& step, Tensor& gain,
                                                   Tensor& offset, Tensor& noise)>& update) {
  GaussianLaw law = law_at_start(of, grid);
  for (const ReverseStep& step : reverse_steps(of.process, grid)) {
    AffineDenoiser estimate(of, step.t);
    Tensor noise = step.variance * of.identity();
    update(step.t, step, estimate.gain, estimate.offset, noise);
    law.step(step.state * of.identity() + step.data * estimate.gain, step.data * estimate.offset, noise);
  }
  return law;
}

GaussianLaw replacement_law(const GaussianCase& of, const TimeGrid& grid, const Tensor& y, int64_t resample) {
  const Tensor a = of.a->matrix(), inverse = at::linalg_pinv(a), seen = inverse.matmul(a),
               hidden = of.identity() - seen;
  GaussianLaw law = law_at_start(of, grid);
  for (const ReverseStep& step : reverse_steps(of.process, grid))
    for (int64_t round = 0; round < (step.last ? 1 : resample); ++round) {
      const double alpha = of.process.alpha(step.t), sigma = of.process.sigma(step.t);
      law.step(hidden, alpha * inverse.matmul(y), sigma * sigma * seen.matmul(seen.t()));
      const AffineDenoiser estimate(of, step.t);
      law.step(step.state * of.identity() + step.data * estimate.gain, step.data * estimate.offset,
               step.variance * of.identity());
      if (step.last || round + 1 == resample) break;
      const TransitionCoefficients back = of.process.transition(step.s, step.t);
      law.step(back.scale * of.identity(), at::zeros({3}, at::kDouble), back.variance * of.identity());
    }
  law.step(hidden, inverse.matmul(y), at::zeros({3, 3}, at::kDouble));
  return law;
}

TEST(Heuristics, ReplacementFollowsItsRecursion) {
  const GaussianCase of;
  const TimeGrid grid = posterior_grid(of.process, 12);
  // x is in the range of A's rows to rounding: hold its free direction alone.
  const Tensor free = at::linalg_cross(of.a->matrix()[0], of.a->matrix()[1], 0);
  const Tensor direction = (free / free.norm()).unsqueeze(1);
  for (const int64_t resample : {1, 3}) {
    const Tensor x = draw(Replacement(resample), of, grid);
    for (const int64_t row : {0, 1}) {
      const GaussianLaw law = replacement_law(of, grid, of.y[row], resample);
      const GaussianLaw along{direction.t().matmul(law.mean),
                              direction.t().matmul(law.covariance).matmul(direction)};
      EXPECT_LT(errors_from(x[row].matmul(direction), along), most) << resample;
      EXPECT_LT(worst(of.a->apply(x[row]), of.y[row].expand({draws, 2})), 1e-12) << "y itself";
      const GaussianMixture exact = exact_posterior(of.prior(), of.measurement(), row);
      const GaussianLaw posterior{direction.t().matmul(exact.mean()),
                                  direction.t().matmul(exact.covariance()).matmul(direction)};
      EXPECT_GT(errors_from(x[row].matmul(direction), posterior), 2 * most) << "biased";
    }
  }
  // RePaint's rounds bring it nearer.
  const Tensor exact = exact_posterior(of.prior(), of.measurement(), 0).mean();
  EXPECT_LT(worst(replacement_law(of, grid, of.y[0], 10).mean, exact),
            0.5 * worst(replacement_law(of, grid, of.y[0], 1).mean, exact));
}

TEST(Heuristics, DdnmFollowsItsRecursion) {
  GaussianCase of;
  const Tensor a = of.a->matrix();
  const TimeGrid grid = posterior_grid(of.process, 12);
  const auto [u, s, v] = at::linalg_svd(a, false);
  of.noise = 0.4;
  expect_law("ddnm+", Ddnm(), of, grid, [&](const Tensor& y) {
    return reverse_chain(
        of, grid, [&](double, const ReverseStep& step, Tensor& gain, Tensor& offset, Tensor& noise) {
          const Tensor trust = (std::sqrt(step.variance) * s / (step.data * of.noise)).clamp_max(1);
          const Tensor inverse = v.t().matmul((trust / s).diag()).matmul(u.t());  // A^+ L
          gain = gain - inverse.matmul(a).matmul(gain);
          offset = offset + inverse.matmul(y - a.matmul(offset));
          noise = noise - v.t().matmul((step.data * trust * of.noise / s).square().diag()).matmul(v);
        });
  });
  of.noise = 0;
  const Tensor inverse = at::linalg_pinv(a), x = draw(Ddnm(), of, grid);
  EXPECT_LT(worst(of.a->apply(x[1]), of.y[1].expand({draws, 2})), 1e-12);
  const GaussianLaw law =
      reverse_chain(of, grid, [&](double, const ReverseStep&, Tensor& gain, Tensor& offset, Tensor&) {
        gain = gain - inverse.matmul(a).matmul(gain);
        offset = offset + inverse.matmul(of.y[1] - a.matmul(offset));
      });
  const Tensor free = at::linalg_cross(a[0], a[1], 0), direction = (free / free.norm()).unsqueeze(1);
  EXPECT_LT(errors_from(x[1].matmul(direction), {direction.t().matmul(law.mean),
                                                 direction.t().matmul(law.covariance).matmul(direction)}),
            most);
}

TEST(Heuristics, DpsFollowsItsRecursion) {
  GaussianCase of;
  of.noise = 0.4;
  const Tensor a = of.a->matrix();
  const TimeGrid grid = posterior_grid(of.process, 25);
  const double zeta = 0.1;
  expect_law("dps", Dps(zeta, Dps::Form::squared), of, grid, [&](const Tensor& y) {
    GaussianLaw law = law_at_start(of, grid);
    for (const ReverseStep& step : reverse_steps(of.process, grid)) {
      const AffineDenoiser estimate(of, step.t);
      // -zeta grad |y - A (G x + g)|^2 = 2 zeta G^T A^T (y - A g) - 2 zeta G^T A^T A G x
      const Tensor back = 2 * zeta * estimate.gain.t().matmul(a.t());
      law.step(step.state * of.identity() + step.data * estimate.gain - back.matmul(a).matmul(estimate.gain),
               step.data * estimate.offset + back.matmul(y - a.matmul(estimate.offset)),
               step.variance * of.identity());
    }
    return law;
  });
}

/// With the score gain J^T A^T (r^2 A A^T + S^2)^-1 (y - A x_0), by Tweedie in the estimate.
GaussianLaw guided_law(const GaussianCase& of, const TimeGrid& grid, const Tensor& y,
                       const std::function<Tensor(double t, const Tensor& gain)>& covariance_of) {
  const Tensor a = of.a->matrix(), s2 = of.noise * of.noise * at::eye(2, at::kDouble);
  return reverse_chain(of, grid, [&](double t, const ReverseStep&, Tensor& gain, Tensor& offset, Tensor&) {
    const double sigma = of.process.sigma(t), alpha = of.process.alpha(t);
    const Tensor total = a.matmul(covariance_of(t, gain)).matmul(a.t()) + s2;
    const Tensor pull = sigma * sigma / alpha * gain.t().matmul(a.t()).matmul(at::linalg_inv(total));
    offset = offset + pull.matmul(y - a.matmul(offset));
    gain = gain - pull.matmul(a).matmul(gain);
  });
}

TEST(Heuristics, PigdmFollowsItsRecursion) {
  GaussianCase of;
  of.noise = 0.4;
  const TimeGrid grid = posterior_grid(of.process, 12);
  expect_law("pigdm", Pigdm(), of, grid, [&](const Tensor& y) {
    return guided_law(of, grid, y, [&](double t, const Tensor&) {
      const double a = of.process.alpha(t), s = of.process.sigma(t);
      return s * s / (a * a + s * s) * of.identity();
    });
  });
}

GaussianLaw mmps_law(const GaussianCase& of, const TimeGrid& grid, const Tensor& y) {
  return guided_law(of, grid, y, [&](double t, const Tensor& gain) {
    return of.process.sigma(t) * of.process.sigma(t) / of.process.alpha(t) * gain;
  });
}

// On Gaussian data its denoiser is that of the posterior: the reverse chain on the exact one makes the same
// draws.
TEST(Mmps, IsTheChainOnTheExactPosterior) {
  for (const double noise : {0.0, 0.4})
    for (const char* spec : {"vp", "flow", "ve"}) {
      GaussianCase of{.noise = noise, .process = GaussianProcess(make_schedule(spec))};
      const TimeGrid grid = posterior_grid(of.process, 15);
      const AnalyticDenoiser prior = of.denoiser();
      PosteriorOptions options{.draws = 50, .type = at::kDouble};
      const Tensor found = Mmps().sample(prior, of.measurement(), grid, options).x;
      for (const int64_t row : {0, 1}) {
        const AnalyticDenoiser exact(exact_posterior(of.prior(), of.measurement(), row), of.process);
        const double a = of.process.alpha(grid.times()[0]), s = of.process.sigma(grid.times()[0]);
        const Tensor start = std::sqrt(a * a + s * s) *
                             Rng(0).stream("prior").normal({50, 3}, {.first_sample = 50 * row}, at::kDouble);
        const Tensor chain =
            integrate(exact, Ancestral(), grid, start,
                      {.noise = Rng(0).stream("sampler").noise_source(at::kDouble), .first_sample = 50 * row})
                .x;
        EXPECT_LT(worst(found[row], chain), 1e-7) << spec << " " << noise;
      }
    }
}

// Its bias is the chain's alone, of first order in the steps.
TEST(Mmps, ConvergesToThePosterior) {
  GaussianCase of;
  of.noise = 0.4;
  const GaussianMixture exact = exact_posterior(of.prior(), of.measurement(), 0);
  std::vector<double> errors;
  for (const int64_t steps : {50, 100, 200, 400})
    errors.push_back(
        worst(mmps_law(of, posterior_grid(of.process, steps), of.y[0]).covariance, exact.covariance()));
  for (size_t i = 1; i < errors.size(); ++i)
    EXPECT_NEAR(std::log2(errors[i - 1] / errors[i]), 1, 0.3) << errors[i];
  EXPECT_LT(errors.back(), 0.01);
  const TimeGrid grid = posterior_grid(of.process, 12);
  expect_law(
      "mmps", Mmps(), of, grid, [&](const Tensor& y) { return mmps_law(of, grid, y); }, /*biased=*/false);
}

// Rows in units that differ by 1e4 and more, in float32, whose products with the long rows resolve nothing of
// the short ones: the posterior (its chain's recursion) all the same, with noise of which the long row sees
// nothing, with a thousandth of it, and with none.
TEST(Mmps, TakesRowsOfUnlikeLengths) {
  const TimeGrid grid = posterior_grid(GaussianProcess(VariancePreserving{}), 15);
  const int64_t few = 2'000;
  for (const double length : {1e4, 1e6})
    for (const double noise : {0.4, 4e-4, 0.0}) {
      GaussianCase of;
      const Tensor lengths = vector_of({length, 1});
      of.a = std::make_shared<MatrixOperator>(of.a->matrix() * lengths.unsqueeze(1), std::vector<int64_t>{3});
      of.y = of.y * lengths;
      of.noise = noise;
      const AnalyticDenoiser denoiser = of.denoiser();
      const Tensor x = Mmps().sample(denoiser, of.measurement(), grid, {.draws = few}).x.to(at::kDouble);
      for (const int64_t row : {0, 1}) {
        const GaussianLaw law = mmps_law(of, grid, of.y[row]);
        EXPECT_LT(errors_from(x[row], law), most) << length << " noise " << noise;
        // The short row alone, as far as float32 resolves it.
        const Tensor a = of.a->matrix()[1], seen = x[row].matmul(a);
        const double deviation = std::sqrt(a.dot(law.covariance.matmul(a)).item<double>()) + 1e-5;
        EXPECT_NEAR(average(seen), a.dot(law.mean).item<double>(), most * deviation / std::sqrt(1.0 * few));
        EXPECT_NEAR(seen.std().item<double>(), deviation, 2e-5 + most * deviation / std::sqrt(2.0 * few));
      }
    }
}

// With too few iterations the system is not solved: one iteration is steepest descent.
TEST(Mmps, NeedsItsIterations) {
  GaussianCase of;
  of.noise = 0.05;
  const AnalyticDenoiser prior = of.denoiser();
  const TimeGrid grid = posterior_grid(of.process, 15);
  const PosteriorOptions options{.draws = 5, .type = at::kDouble};
  const auto with = [&](int64_t iterations) {
    return Mmps({.iterations = iterations, .tolerance = 0}).sample(prior, of.measurement(), grid, options);
  };
  EXPECT_LT(worst(with(2).x, with(6).x), 1e-6) << "A V A^T + S^2 I has two eigenvalues";
  EXPECT_GT(worst(with(1).x, with(6).x), 1e-2);
  EXPECT_EQ(with(2).gradients, 15 * 3);
  EXPECT_EQ(with(2).evaluations, 15);
}

}  // namespace
}  // namespace fokker
