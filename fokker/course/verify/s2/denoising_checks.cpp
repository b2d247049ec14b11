// S2, section 4.2: the loss that needs no score and no divergence, eq. 4.4.
#include <cmath>

#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/problems.h"
#include "fokker/objective/implicit.h"
#include "fokker/objective/score_matching.h"
#include "fokker/sde/jacobian.h"

namespace fokker::verify {
namespace {

/// The step to eq. 4.4: E div s(X + sigma Z) = E <s(X + sigma Z), Z> / sigma with Z ~ N(0, I).
void stein(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& mu = trial.settings().law();
  const NoisedQuadrature q = noised_quadrature(mu, 81);
  for (const double sigma : {trial.settings().real("sigma"), 1.0}) {
    // S2 writes Z ~ N(0, sigma^2 I) beside (4.4), which would scale the noise twice.
    const Tensor z = trial.has("unit noise") || sigma == 1 ? q.noise : sigma * q.noise;
    const Tensor x = q.x0 + sigma * z;
    for (const Field& s : unrelated_fields()) {
      const Tensor leaf = x.detach().clone().requires_grad_();
      const double divergence = q.mean(exact_divergence(s.value(leaf), leaf).detach());
      evidence.equal(fmt::format("E<s, Z>/sigma for {}, sigma = {}", s.name, sigma),
                     {q.mean(sum_events(s.value(x) * z)) / sigma, 0}, divergence, 1e-6);
    }
  }
}

struct DenoisingGap {
  std::string field;
  double measured = 0, expected = 0;
};
std::vector<DenoisingGap> denoising_gaps(const GaussianMixture& mu, double sigma, int64_t points,
                                         const Trial& trial) {
  const NoisedQuadrature q = noised_quadrature(mu, points, 6);
  const GaussianMixture noised = mu.noised(1, sigma);
  const Tensor x = q.x0 + sigma * q.noise;
  const double expected =
      static_cast<double>(mu.dimension()) / (sigma * sigma) - q.mean(sum_events(noised.score(x).square()));
  const GaussianMixture& law = trial.has("noised") ? noised : mu;
  const std::vector<Field> fields = unrelated_fields();
  std::vector<DenoisingGap> gaps;
  gaps.reserve(fields.size());
  for (const Field& s : fields) {
    const ScoreFunction field =
        trial.has("sign") ? ScoreFunction(s.value) : [&](const Tensor& y) { return -s.value(y); };
    gaps.push_back({s.name,
                    q.mean(denoising_score_matching(field, q.x0, q.noise, sigma)) -
                        q.mean(fisher_divergence(s.value, law, x)),
                    expected});
  }
  return gaps;
}

/// Eq. 4.4 = eq. 4.2 for mu_sigma + d / sigma^2 - E|grad log mu_sigma|^2.
void denoising_constant(const Trial& trial, Evidence& evidence) {
  const GaussianMixture& mu = trial.settings().law();
  const int64_t points = mu.dimension() == 1 ? 81 : 17;
  const double least = trial.settings().real("sigma");
  for (const double sigma : {least, 2 * least, least / 0.3}) {
    const auto fine = denoising_gaps(mu, sigma, points, trial),
               coarse = denoising_gaps(mu, sigma, points * 3 / 4, trial);
    // What the sums over fewer points make of it bounds the error of the finer ones.
    for (size_t i = 0; i < fine.size(); ++i)
      evidence.equal(
          fmt::format("(4.4) - (4.2) for {}, sigma = {:.3g}", fine[i].field, sigma), {fine[i].measured, 0},
          fine[i].expected,
          1e-3 + std::abs(fine[i].measured - fine[i].expected - coarse[i].measured + coarse[i].expected));
  }
}

}  // namespace

void add_s2_denoising(Checks& checks) {
  checks.push_back({"s2.denoising.stein",
                    "S2, section 4.2",
                    "E div s(X + sigma Z) = E<s(X + sigma Z), Z> / sigma",
                    stein,
                    {{"unit noise", "Z ~ N(0, sigma^2 I), as S2 writes beside eq. 4.4"}},
                    {skewed_setting({.least_deviation = 0.1, .most_deviation = 4, .reach = 12}),
                     Setting::real("sigma", 0.3, 0.1, 3, "deviation of the noise")}});
  checks.push_back({"s2.denoising.constant",
                    "S2, eq. 4.4",
                    "Denoising score matching is the Fisher divergence of mu_sigma plus a constant",
                    denoising_constant,
                    {{"sign", "the loss is |Z/sigma - s|^2"},
                     {"noised", "the divergence is from mu and not from mu_sigma"}},
                    {tilted_setting(line_or_plane_limits),
                     Setting::real("sigma", 0.3, 0.1, 3, "deviation of the noise")}});
}

}  // namespace fokker::verify
