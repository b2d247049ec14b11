// Decisions to accept a step, at the edge in closed form: a little less and a little more.
#include <gtest/gtest.h>

#include "fokker/sample/chain/langevin.h"
#include "sample/samplers.h"

namespace fokker {
namespace {

// Roberts and Tweedie (1996) on N(0, 1), written with numbers: the log ratio of the proposal y = (1 - h) x +
// sqrt(2 h) z.
double mala_log_ratio(double x, double y, double h) {
  const auto log_q = [h](double to, double from) { return -std::pow(to - (1 - h) * from, 2) / (4 * h); };
  return (x * x - y * y) / 2 + log_q(x, y) - log_q(y, x);
}

// A proposal is accepted where log u < log ratio, u = Phi(the first number of the second draw).
TEST(Mala, AcceptsAtTheLogRatio) {
  const GaussianMixture target = GaussianMixture::gaussian(vector_of({0}), vector_of({1}));
  int edges = 0;
  for (const double h : {0.2, 0.5, 1.0})
    for (const double x : {-1.5, 0.2, 1.0, 2.0})
      for (const double z : {-2.0, -1.0, 0.5, 1.5}) {
        const double y = (1 - h) * x + std::sqrt(2 * h) * z, ratio = mala_log_ratio(x, y, h);
        if (ratio > -0.02 || ratio < -8) continue;
        ++edges;
        for (const double beside : {-1e-6, 1e-6}) {
          const Tensor edge = at::special_ndtri(at::exp(vector_of({ratio + beside}))).reshape({1, 1});
          const auto noise = [&](uint32_t draw) {
            return draw == 0 ? at::full({1, 1}, z, at::kDouble) : edge;
          };
          ChainState state;
          state.x = at::full({1, 1}, x, at::kDouble);
          const Mala mala(h);
          mala.start(target, state, noise);
          mala.step(target, state, noise);
          EXPECT_NEAR(state.x.item<double>(), beside < 0 ? y : x, 1e-12) << h << " " << x << " " << z;
          EXPECT_EQ(state.accepted, beside < 0 ? 1 : 0);
          EXPECT_EQ(state.proposed, 1);
          EXPECT_EQ(state.evaluations, 2);
          EXPECT_NEAR(state.score.item<double>(), -state.x.item<double>(), 1e-12) << "of where the chain is";
        }
      }
  EXPECT_GT(edges, 15) << "proposals that can be refused";
}

/// A run of the adaptive method on one number.
struct ScalarRun {
  double x;
  int64_t evaluations = 0, rejected = 0;
};

// Jolicoeur-Martineau et al. (2021), algorithm 1, without noise: x' = b(x, t) in time that falls, tried with
// the steps of Euler and Heun, accepted where their difference is within the tolerance.
ScalarRun control_law(const std::function<double(double, double)>& b, double x, double t, double end,
                      double atol, double rtol) {
  ScalarRun run{x};
  bool known = false;
  for (double h = 0.01; t > end;) {
    const double step = std::min(h, t - end), next = step == t - end ? end : t - step;
    run.evaluations += known ? 1 : 2;
    const double simple = run.x + step * b(run.x, t);
    const double improved = run.x + step / 2 * (b(run.x, t) + b(simple, next));
    const double scale = atol + rtol * std::max(std::abs(run.x), std::abs(simple));
    const double error = std::abs(simple - improved) / scale;
    known = error > 1;
    if (known) {
      ++run.rejected;
    } else {
      run.x = improved;
      t = next;
    }
    h = step * std::clamp(0.9 * std::pow(std::max(error, 1e-10), -0.9), 0.1, 10.0);
  }
  return run;
}

/// b = g^2 score - f x of VP with beta from 0.1 to 20 on N(0.8, 0.16).
double reverse_drift_of_vp(double x, double t) {
  const double beta = 0.1 + 19.9 * t, alpha = std::exp(-0.5 * (0.1 * t + 0.5 * 19.9 * t * t));
  const double variance = 0.16 * alpha * alpha + 1 - alpha * alpha;
  return -beta * (x - 0.8 * alpha) / variance + 0.5 * beta * x;
}

TEST(AdaptiveSde, KeepsToItsControlLaw) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const NoiseSource silence = [](IntArrayRef shape, const auto&) { return at::zeros(shape, at::kDouble); };
  int64_t rejected = 0;
  for (const auto& [atol, rtol] :
       {std::pair{0.01, 0.01}, {1e-3, 0.0}, {0.0, 1e-3}, {1e-5, 1e-5}, {1e-6, 1e-5}}) {
    const ScalarRun expected = control_law(reverse_drift_of_vp, 4.0, 1, 0.05, atol, rtol);
    const Integration run =
        integrate(denoiser, AdaptiveSde({.rtol = rtol, .atol = atol}), TimeGrid({1, 0.05}),
                  at::full({1, 1}, 4.0, at::kDouble), {.noise = silence, .observers = {}});
    EXPECT_NEAR(run.x.item<double>(), expected.x, 1e-9) << atol << " " << rtol;
    EXPECT_EQ(run.evaluations, expected.evaluations) << atol << " " << rtol;
    EXPECT_EQ(run.rejected, expected.rejected) << atol << " " << rtol;
    rejected += expected.rejected;
  }
  EXPECT_GT(rejected, 5) << "both decisions are seen";
}

// The first step tried has the length 0.01: its error in closed form, and tolerances a little on either side
// of it.
TEST(AdaptiveSde, AcceptsAtTheTolerance) {
  const AnalyticDenoiser denoiser = gaussian_denoiser("vp");
  const NoiseSource silence = [](IntArrayRef shape, const auto&) { return at::zeros(shape, at::kDouble); };
  const auto b = reverse_drift_of_vp;
  const double x = 4, t = 0.5, h = 0.01, simple = x + h * b(x, t);
  const double error = h / 2 * std::abs(b(x, t) - b(simple, t - h));
  for (const bool relative : {false, true})
    for (const double beside : {1 / 1.01, 1.01}) {
      const double tolerance = beside * error / (relative ? std::max(x, simple) : 1);
      const AdaptiveSde sampler({.rtol = relative ? tolerance : 0, .atol = relative ? 0 : tolerance});
      const Integration run =
          integrate(denoiser, sampler, TimeGrid({t, t - h}), at::full({1, 1}, x, at::kDouble),
                    {.noise = silence, .observers = {}});
      EXPECT_EQ(run.rejected > 0, beside < 1) << relative << " " << beside;
      if (beside > 1) {
        EXPECT_EQ(run.evaluations, 2);
      }
    }
}

}  // namespace
}  // namespace fokker
