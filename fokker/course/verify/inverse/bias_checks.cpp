// What the heuristics draw where the data is normal: exactly so far from the posterior.
#include "fokker/condition/posterior_sampler.h"
#include "fokker/core/error.h"
#include "fokker/course/problem/gaussian_inverse.h"
#include "fokker/course/verify/checks.h"

namespace fokker::verify {
namespace {

constexpr int64_t bias_steps = 15;

Setting dims_setting(const char* usual) {
  Setting dims = Setting::integer("dims", 10, 2, 100, "dimensions, in place of these");
  dims.usual = usual;
  return dims;
}
std::vector<int64_t> dims_of(const Trial& trial, const std::vector<int64_t>& usual) {
  return trial.settings().changed("dims") ? std::vector<int64_t>{trial.settings().integer("dims")} : usual;
}

Tensor draws_of(const std::string& method, const GaussianInverse& of, int64_t draws, const Rng& rng) {
  const AnalyticDenoiser denoiser = of.denoiser();
  const auto sampler = make_posterior_sampler(method);
  return sampler
      ->sample(denoiser, of.measurement(), posterior_grid(of.process, bias_steps),
               {.draws = draws, .rng = rng, .type = at::kDouble})
      .x[0];
}

/// The direction in which two laws' means differ most, and that in which their variances do.
struct WorstDirections {
  Tensor of_mean, of_variance;
};
WorstDirections worst_directions(const GaussianLaw& law, const GaussianLaw& exact) {
  const Tensor gap = law.mean - exact.mean, spread = law.covariance - exact.covariance;
  const auto [values, vectors] = at::linalg_eigh(0.5 * (spread + spread.t()));
  return {gap / gap.norm(), vectors.select(1, values.abs().argmax().item<int64_t>())};
}

/// Draws against the law, both as distances from the posterior. Without `bias` none is expected.
void biases(const Trial& trial, Evidence& evidence, const std::string& method,
            const std::function<GaussianLaw(const GaussianInverse&, const TimeGrid&)>& law_of) {
  for (const int64_t d : dims_of(trial, {2, 10, 100})) {
    const GaussianInverse of = GaussianInverse::random(d, Rng(static_cast<uint64_t>(d)));
    const GaussianLaw exact = of.posterior(), law = law_of(of, posterior_grid(of.process, bias_steps));
    const Tensor x = draws_of(method, of, d > 30 ? 1000 : 4000, trial.rng().stream(static_cast<uint64_t>(d)));
    const auto directions = worst_directions(law, exact);
    const Tensor &along = directions.of_mean, &across = directions.of_variance;
    const auto variance = [&](const GaussianLaw& l) {
      return across.dot(l.covariance.matmul(across)).item<double>();
    };
    const Statistic mean = mean_of(x.matmul(along)), spread = variance_of(x.matmul(across));
    const bool biased = trial.has("bias");
    evidence.equal(fmt::format("{} dimensions: bias of the mean", d),
                   {mean.value - exact.mean.dot(along).item<double>(), mean.standard_error},
                   biased ? (law.mean - exact.mean).dot(along).item<double>() : 0);
    evidence.equal(fmt::format("{} dimensions: bias of the variance", d),
                   {spread.value - variance(exact), spread.standard_error},
                   biased ? variance(law) - variance(exact) : 0);
  }
}

void add_bias(Checks& checks, const std::string& id, const std::string& method, const std::string& source,
              const std::string& statement,
              const std::function<GaussianLaw(const GaussianInverse&, const TimeGrid&)>& law_of) {
  checks.push_back(
      {.id = "inverse.bias." + id,
       .source = source,
       .statement = statement,
       .measure = [=](const Trial& trial, Evidence& evidence) { biases(trial, evidence, method, law_of); },
       .ingredients = {{"bias", "draws are expected to follow the posterior"}},
       .settings = {dims_setting("2, 10 and 100")}});
}

/// The score of the posterior, on normal data: what is left is the reverse chain's own error, of first order.
void mmps_exact(const Trial& trial, Evidence& evidence) {
  for (const int64_t d : dims_of(trial, {2, 10, 100})) {
    const GaussianInverse of = GaussianInverse::random(d, Rng(static_cast<uint64_t>(d)));
    const GaussianLaw exact = of.posterior(), law = mmps_law(of, posterior_grid(of.process, bias_steps));
    const std::string method = trial.has("covariance") ? "mmps:iterations=50" : "pigdm";
    const Tensor x = draws_of(method, of, d > 30 ? 300 : 3000, trial.rng().stream(static_cast<uint64_t>(d)));
    const auto [along, across] =
        worst_directions(pigdm_law(of, posterior_grid(of.process, bias_steps)), exact);
    evidence.equal(fmt::format("{} dimensions: mean", d), mean_of(x.matmul(along)),
                   law.mean.dot(along).item<double>());
    evidence.equal(fmt::format("{} dimensions: variance", d), variance_of(x.matmul(across)),
                   across.dot(law.covariance.matmul(across)).item<double>());
  }
  // The rate of the chain's error.
  const GaussianInverse of = GaussianInverse::random(10, Rng(10));
  const auto error = [&](int64_t steps) {
    return (mmps_law(of, posterior_grid(of.process, steps)).covariance - of.posterior().covariance)
        .norm()
        .item<double>();
  };
  evidence.equal("order of the chain's error in the number of steps", {std::log2(error(200) / error(400)), 0},
                 1, 0.1);
}

void gibbs_law_check(const Trial& trial, Evidence& evidence) {
  const double rho = 0.3;
  for (const int64_t d : dims_of(trial, {2, 10})) {
    GaussianInverse of = GaussianInverse::random(d, Rng(static_cast<uint64_t>(d)));
    const GaussianLaw law = gibbs_law(of, trial.has("distance") ? rho : 0), exact = of.posterior();
    const AnalyticDenoiser denoiser = of.denoiser();
    const Tensor x = make_posterior_sampler("gibbs:iterations=16,largest=2,smallest=0.3")
                         ->sample(denoiser, of.measurement(), posterior_grid(of.process, 100),
                                  {.draws = 1000, .rng = trial.rng(), .type = at::kDouble})
                         .x[0];
    const auto [along, across] = worst_directions(gibbs_law(of, rho), exact);
    evidence.equal(fmt::format("{} dimensions: mean", d), mean_of(x.matmul(along)),
                   law.mean.dot(along).item<double>());
    evidence.equal(fmt::format("{} dimensions: variance", d), variance_of(x.matmul(across)),
                   across.dot(law.covariance.matmul(across)).item<double>(), 0.03);
  }
}

}  // namespace

void add_inverse_bias(Checks& checks) {
  add_bias(checks, "replacement", "replacement", "Song et al. 2021",
           "Replacement on normal data is off the posterior by its recursion's bias", replacement_law);
  add_bias(checks, "ddnm", "ddnm", "Wang, Yu and Zhang 2023",
           "DDNM+ on normal data is off the posterior by its recursion's bias", ddnm_law);
  add_bias(checks, "dps", "dps:step=0.1,form=squared", "Chung et al. 2023",
           "DPS on normal data is off the posterior by its recursion's bias",
           [](const GaussianInverse& of, const TimeGrid& grid) { return dps_law(of, grid, 0.1); });
  add_bias(checks, "pigdm", "pigdm", "Song et al. 2023",
           "PiGDM on normal data is off the posterior by its recursion's bias", pigdm_law);
  checks.push_back({.id = "inverse.mmps",
                    .source = "Rozet et al. 2024",
                    .statement = "MMPS on normal data is the reverse chain on the posterior itself",
                    .measure = mmps_exact,
                    .ingredients = {{"covariance", "x_0 given x_t is thought to vary as N(0, I) data does"}},
                    .settings = {dims_setting("2, 10 and 100")}});
  checks.push_back(
      {.id = "inverse.gibbs",
       .source = "Vono et al. 2019",
       .statement = "Split Gibbs at distance rho draws the posterior at noise S^2 I + rho^2 A A^T",
       .measure = gibbs_law_check,
       .ingredients = {{"distance", "the distance between the two variables is thought to be 0"}},
       .settings = {dims_setting("2 and 10")}});
}

}  // namespace fokker::verify
