// The probability flow of the diffusions of S0 has their laws (S3, 3.3; S0 has no flow).
#include <cmath>

#include "fokker/course/problem/known_diffusions.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"

namespace fokker::verify {
namespace {

Sde without_divergence(const Trial& trial, Sde sde) {
  if (!trial.has("div a")) sde.divergence = [](const Tensor& x, double) { return at::zeros_like(x); };
  return sde;
}

/// E phi(x(t)) is a sum over quadrature points that the flow carries: no Monte Carlo error.
void warped(const Trial& trial, Evidence& evidence) {
  const WarpedLinear w;
  const Sde flow = probability_flow(without_divergence(trial, w.sde()), w.score());
  const Quadrature z = normal_quadrature(2, 25, 6);
  const Tensor y0 = w.mean0 + z.x.matmul(at::linalg_cholesky(w.covariance0).t());
  const Tensor y1 = w.to_y(simulate(flow, w.to_x(y0), uniform_times(0, 1, 40)));
  const Tensor mean = w.mean(1), P = w.covariance(1), centred = y1 - mean;
  for (int64_t i = 0; i < 2; ++i) {
    evidence.equal(fmt::format("E y{} at t = 1", i + 1), {z.mean(y1.select(1, i)), 0}, mean[i].item<double>(),
                   1e-4);
    for (int64_t j = 0; j <= i; ++j)
      evidence.equal(fmt::format("Cov(y{}, y{}) at t = 1", i + 1, j + 1),
                     {z.mean(centred.select(1, i) * centred.select(1, j)), 0}, P[i][j].item<double>(), 1e-4);
    // Of a normal law: the whole shape and not two moments alone.
    const double variance = P[i][i].item<double>();
    evidence.equal(fmt::format("fourth moment of y{}", i + 1), {z.mean(centred.select(1, i).pow(4)), 0},
                   3 * variance * variance, 1e-4);
  }
}

/// On the line a flow keeps quantiles: z = (log x - m(t)) / sqrt(v(t)) stays what it was.
void geometric(const Trial& trial, Evidence& evidence) {
  const GeometricBrownian g{.mu = trial.settings().real("mu"), .sigma = trial.settings().real("sigma")};
  const Sde flow = probability_flow(without_divergence(trial, g.sde()), g.score());
  const Tensor z = at::linspace(-2.5, 2.5, 11, at::kDouble).unsqueeze(1);
  const Tensor start = (g.log_mean(0) + std::sqrt(g.log_variance(0)) * z).exp();
  const Tensor moved =
      (simulate(flow, start, uniform_times(0, 2, 100)).log() - g.log_mean(2)) / std::sqrt(g.log_variance(2));
  for (int64_t i = 0; i < z.size(0); ++i)
    evidence.equal(fmt::format("quantile {}", z[i].item<double>()), {moved[i].item<double>(), 0},
                   z[i].item<double>(), 1e-6);
}

/// The same for Brownian noising of a mixture: F_t(x_t) = F_0(x_0).
void brownian(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& data = trial.settings().law();
  const double sigma = trial.settings().real("sigma");
  const auto law = [&](double t) { return data.noised(1, sigma * std::sqrt(t)); };
  const double share = trial.has("half") ? 1 : 2;
  const Sde flow = probability_flow(brownian_motion(1, sigma),
                                    [&](const Tensor& x, double t) { return share * law(t).score(x); });
  const double reach = 2.6 * std::sqrt(law(1).covariance().item<double>());
  const Tensor start = law(1).mean() + reach * at::linspace(-1, 1, 19, at::kDouble).unsqueeze(1);
  const auto rank_after = [&](int64_t steps) {
    std::vector<double> times = reversal_times(Brownian{.sigma = sigma}, variances_of(data).front(), steps);
    for (double& t : times) t = 1 - t;
    return mixture_distribution(data, simulate(flow, start, times));
  };
  // Twice the steps leave a fraction of the error, which is therefore less than the two differ.
  const Tensor before = mixture_distribution(law(1), start), after = rank_after(400),
               error = (after - rank_after(200)).abs();
  for (int64_t i = 0; i < start.size(0); ++i)
    evidence.equal(fmt::format("F(x) from x = {:.4g}", start[i].item<double>()), {after[i].item<double>(), 0},
                   before[i].item<double>(), 1e-6 + error[i].item<double>());
}

}  // namespace

void add_s3_flow(Checks& checks) {
  const Ingredient divergence{"div a", "the flow leaves out half the divergence of a = sigma sigma^T"};
  checks.push_back(
      {.id = "s3.flow.warped",
       .source = "S3, 3.3; Song et al. 2021, eq. 37",
       .statement = "The probability flow of a diffusion with a full, state-dependent sigma has its laws",
       .measure = warped,
       .ingredients = {divergence}});
  checks.push_back({.id = "s3.flow.geometric",
                    .source = "S3, 3.3; Song et al. 2021, eq. 37",
                    .statement = "The probability flow of geometric Brownian motion keeps its quantiles",
                    .measure = geometric,
                    .ingredients = {divergence},
                    .settings = {Setting::real("mu", 0.3, -1, 1, "the rate in dx = mu x dt + sigma x dB"),
                                 Setting::real("sigma", 0.5, 0.1, 0.8, "its noise")}});
  checks.push_back(
      {.id = "s3.flow.brownian",
       .source = "S3, 3.3; Song et al. 2021, eq. 13",
       .statement = "The probability flow of Brownian noising carries each quantile back to the data's",
       .measure = brownian,
       .ingredients = {{"half", "the flow takes the whole score term of the reversal and not half of it"}},
       .settings = {skewed_setting(),
                    Setting::real("sigma", 3, 0.1, 30, "deviation of the noise at its end")}});
}

}  // namespace fokker::verify
