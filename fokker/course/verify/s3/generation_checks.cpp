#include "fokker/course/verify/chain_table.h"
#include "fokker/course/verify/checks.h"
#include "fokker/course/verify/line_mixture.h"
#include "fokker/course/verify/problems.h"
#include "fokker/course/verify/quadrature.h"
#include "fokker/denoise/analytic.h"
#include "fokker/sample/integrate.h"
#include "fokker/sample/method/ancestral/ancestral.h"
#include "fokker/sde/simulate.h"

namespace fokker::verify {
namespace {

/// From 0 to 1 - end in reversed time, with steps that shrink towards the data, where the score is steep.
std::vector<double> shrinking_times(int64_t steps, double end) {
  std::vector<double> times;
  for (int64_t i = 0; i <= steps; ++i) {
    const double left = 1 - static_cast<double>(i) / static_cast<double>(steps);
    times.push_back((1 - end) * (1 - left * left));
  }
  return times;
}

/// The reverse SDE with a mixture's exact score brings back weights, means and full covariances in the plane.
void general_mixture(const Trial& trial, Evidence& evidence) {
  const GaussianProcess process = VariancePreserving{.beta_min = 0.1, .beta_max = 12.0};
  const Tensor means = at::tensor({-3.0, 0.0, 2.0, 2.5, 2.5, -2.0}, at::kDouble).view({3, 2});
  const Tensor covariances =
      at::tensor({0.3, 0.2, 0.2, 0.4, 0.2, -0.1, -0.1, 0.1, 0.5, 0.0, 0.0, 0.15}, at::kDouble)
          .view({3, 2, 2});
  const GaussianMixture data(at::tensor({0.2, 0.3, 0.5}, at::kDouble), means, covariances);
  const AnalyticDenoiser exact(data, process);
  const double factor = trial.has("factor") ? 1 : 0.5;
  const StateFunction score = [&](const Tensor& x, double t) {
    return factor * exact.estimate(x, t).score();
  };
  const Tensor start = exact.marginal(1.0).sample(6'000, trial.rng().stream("start"));
  const Tensor x =
      simulate(reverse(forward_sde(process, 2), score, 1.0), start, shrinking_times(200, 0),
               {.method = {}, .noise = wiener_increments(trial.rng().stream("noise")), .observer = {}});
  const Tensor component = data.responsibilities(x).argmax(1);
  for (int64_t k = 0; k < 3; ++k) {
    const double weight = data.weights()[k].item<double>();
    evidence.equal(fmt::format("weight {}", k + 1), fraction_of(component == k, weight), weight, 0.003);
    const Tensor mine = x.index({component == k});
    for (int64_t i = 0; i < 2; ++i) {
      evidence.equal(fmt::format("mean {} of component {}", i + 1, k + 1), mean_of(mine.select(1, i)),
                     means[k][i].item<double>(), 0.01);
      for (int64_t j = 0; j <= i; ++j)
        evidence.equal(fmt::format("covariance {}, {} of component {}", i + 1, j + 1, k + 1),
                       covariance_of(mine.select(1, i), mine.select(1, j)),
                       covariances[k][i][j].item<double>(), 0.012);
    }
  }
}

/// A law of x_T to start from: the exact q_T, or N(0, 1) as the notebook does, and the share of each point
/// that it leads to: E p(point | x_T), since the exact reversal keeps p(x_0 | x_T).
struct ChainStart {
  std::string name;
  Tensor x;            ///< (n, 1)
  Tensor expectation;  ///< (4), in the order of the points

  static ChainStart exact_law(const AnalyticDenoiser& exact, const Rng& rng) {
    return {"q_T", exact.marginal(1.0).sample(8'000, rng.stream("start")), exact.target().weights()};
  }
  static ChainStart standard_normal(const AnalyticDenoiser& exact, const Rng& rng) {
    const Line nodes = line(-9, 9, 900);
    const Tensor weights = normal_log_density(nodes.x, 0, 1).exp() * nodes.step;
    return {"N(0, 1)", rng.stream("normal start").normal({8'000, 1}, {}, at::kDouble),
            weights.matmul(exact.marginal(1.0).responsibilities(nodes.states()))};
  }
};

std::vector<ChainStart> chain_starts(const AnalyticDenoiser& exact, const Rng& rng) {
  return {ChainStart::exact_law(exact, rng), ChainStart::standard_normal(exact, rng)};
}

/// The notebook's Algorithm 2 on its four points with the exact denoiser: each gets its share of the mass,
/// and as the last step adds no noise every sample ends on a point.
void algorithm_two(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const AnalyticDenoiser exact(LineMixture::four_points().mixture(), chain.process());
  const Tensor points = exact.target().means().flatten();
  for (const ChainStart& start : chain_starts(exact, trial.rng())) {
    const NoiseSource noise = trial.rng().stream(start.name).noise_source(at::kDouble);
    Tensor x = integrate(exact, Ancestral(Ancestral::Variance::transition), TimeGrid::uniform(200), start.x,
                         {.noise = noise, .observers = {}})
                   .x.flatten();
    if (!trial.has("last-step")) x = x + 0.2 * trial.rng().stream("last").normal({8'000}, {}, at::kDouble);
    for (int64_t k = 0; k < 4; ++k) {
      const double point = points[k].item<double>(), share = start.expectation[k].item<double>();
      const Tensor distance = (x - point).abs();
      evidence.equal(fmt::format("mass at {} from {}", point, start.name), fraction_of(distance < 2.0, share),
                     share, 0.005);
      evidence.equal(fmt::format("largest distance from {} from {}", point, start.name),
                     {distance.masked_select(distance < 2.0).max().item<double>()}, 0, 1e-6);
    }
  }
}

/// The SDE backwards and the flow backwards from one start, seen at the same times.
struct Pair {
  double t;
  Tensor sde, flow;
};
std::vector<Pair> backwards(const LineMixture& data, const GaussianProcess& process, double half,
                            const Rng& rng) {
  const int64_t steps = 400, every = 50, n = 4'000;
  const double end = 0.005;
  const AnalyticDenoiser exact(data.mixture(), process);
  const StateFunction score = [&](const Tensor& x, double t) { return exact.estimate(x, t).score(); };
  const StateFunction scaled = [&](const Tensor& x, double t) { return half * score(x, t); };
  const Sde forward = forward_sde(process, 1);
  std::vector<Pair> pairs;
  const auto times = uniform_times(0, 1 - end, steps);
  simulate(
      reverse(forward, score, 1.0), exact.marginal(1.0).sample(n, rng.stream("sde")), times,
      {.method = {}, .noise = wiener_increments(rng.stream("noise")), .observer = [&](const SdeState& s) {
         if (s.step > 0 && s.step % every == 0) pairs.push_back({1 - s.t, s.x.flatten().clone(), {}});
       }});
  size_t next = 0;
  simulate(probability_flow(forward, scaled), exact.marginal(1.0).sample(n, rng.stream("flow")),
           uniform_times(1, end, steps), {.method = {}, .observer = [&](const SdeState& s) {
                                            if (s.step > 0 && s.step % every == 0)
                                              pairs[next++].flow = s.x.flatten().clone();
                                          }});
  return pairs;
}

/// The reverse SDE and the probability flow have the same law at every t: the forward law q_t.
void same_marginals(const Trial& trial, Evidence& evidence) {
  const LineMixture data = LineMixture::of(trial.settings().law());
  const GaussianProcess process = VariancePreserving{.beta_min = 0.1, .beta_max = 12.0};
  const auto pairs = backwards(data, process, trial.has("half") ? 1 : 2, trial.rng());
  // The steps of the SDE shift its distribution function by less than 0.004, that is 0.18 in these units.
  const double of_steps = 0.2;
  for (const auto& [t, sde, flow] : pairs) {
    evidence.same_law(fmt::format("Kolmogorov's distance of SDE and flow at t = {:.3f}", t),
                      kolmogorov_smirnov(sde, flow), of_steps);
    const auto law = [&, t = t](const Tensor& x) {
      return data.distribution(x, process.alpha(t), process.sigma(t));
    };
    evidence.same_law(fmt::format("Kolmogorov's distance of flow and q_t at t = {:.3f}", t),
                      kolmogorov_smirnov(flow, law), of_steps);
    const double a = process.alpha(t), deviation = std::sqrt(a * a * data.variance() + 1 - a * a);
    for (const auto& [name, x] : {std::pair{"SDE", sde}, {"flow", flow}})
      evidence.equal(fmt::format("mean of the {} at t = {:.3f}", name, t), mean_of(x), a * data.mean(),
                     0.01 * deviation);
  }
}

/// The notebook's backward flow: Euler's steps on the reverse SDE with the score of the four points, to a
/// time shortly before the data, where q_t is four narrow normals.
void four_points(const Trial& trial, Evidence& evidence) {
  const ChainTable chain = ChainTable::notebook();
  const AnalyticDenoiser exact(LineMixture::four_points().mixture(), chain.process());
  const double sign = trial.has("sign") ? 1 : -1;
  const StateFunction score = [&](const Tensor& x, double t) { return sign * exact.estimate(x, t).score(); };
  const Tensor points = exact.target().means().flatten();
  for (const ChainStart& start : chain_starts(exact, trial.rng())) {
    const Tensor x = end_state(reverse(forward_sde(chain.process(), 1), score, 1.0), start.x,
                               shrinking_times(400, chain.time(4)), trial.rng().stream(start.name))
                         .flatten();
    std::vector<Tensor> residuals;
    for (int64_t k = 0; k < 4; ++k) {
      const double point = points[k].item<double>(), share = start.expectation[k].item<double>();
      const Tensor distance = x - std::sqrt(chain.alphabar(4)) * point;
      evidence.equal(fmt::format("mass near {} from {}", point, start.name),
                     fraction_of(distance.abs() < 2.5, share), share, 0.003);
      residuals.push_back(distance.masked_select(distance.abs() < 2.5));
    }
    const Tensor near = at::cat(residuals);
    // Of q_4 about its points 5e-10 lies further away than 2.5; a sample in 800 may.
    evidence.equal("share of the samples near a point from " + start.name,
                   {static_cast<double>(near.numel()) / static_cast<double>(x.numel())}, 1, 1.25e-3);
    if (near.numel() < 2) return;
    evidence.equal("mean distance from the nearest point from " + start.name, mean_of(near), 0, 0.003);
    evidence.equal("variance about the nearest point from " + start.name, variance_of(near),
                   1 - chain.alphabar(4), 0.006);
  }
}

}  // namespace

void add_s3_generation(Checks& checks) {
  checks.push_back({.id = "s3.reverse.four-points",
                    .source = "S3, 3.2, the backward flow",
                    .statement = "The reverse SDE with the exact score goes back to the four points",
                    .measure = four_points,
                    .ingredients = {{"sign", "the score has the wrong sign"}}});
  checks.push_back({.id = "s3.reverse.general-mixture",
                    .source = "S3, 3.1 and 3.2",
                    .statement = "The reverse SDE brings back any weights, means and covariances",
                    .measure = general_mixture,
                    .ingredients = {{"factor", "the score is halved, as for the flow"}}});
  checks.push_back(
      {.id = "s3.reverse.algorithm-2",
       .source = "S3, 1.2.1, generation",
       .statement = "Algorithm 2 with the exact denoiser ends on the four points, from q_T and from N(0, 1)",
       .measure = algorithm_two,
       .ingredients = {{"last-step", "the last step adds noise too, as in the notebook"}}});
  checks.push_back(
      {.id = "s3.flow.marginals",
       .source = "S3, 3.3",
       .statement = "The flow and the reverse SDE have the law q_t at every t",
       .measure = same_marginals,
       .ingredients = {{"half", "the flow has g^2 for g^2 / 2"}},
       .settings = {Setting::law(
           [] {
             return course::Laws{LineMixture({0.2, 0.5, 0.3}, {-2, 0, 1.5}, {0.04, 0.1, 0.06}).mixture()};
           },
           "three modes at -2, 0 and 1.5", {.least_deviation = 0.2, .most_deviation = 1, .reach = 3})}});
}

}  // namespace fokker::verify
