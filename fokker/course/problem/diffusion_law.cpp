// Where a written diffusion's p_t comes from: closed forms of affine ones, the forward equation on a line.
#include <algorithm>
#include <cmath>
#include <mutex>

#include "fokker/core/check.h"
#include "fokker/course/problem/formula_sde.h"
#include "fokker/course/problem/grid_law.h"
#include "fokker/course/problem/particle_law.h"
#include "fokker/sde/simulate.h"
#include "fokker/target/toys.h"

namespace fokker::course {
namespace {

constexpr double probe_spread = 3;
constexpr int64_t probe_times = 9, probe_points = 40;

/// b = A x + c at one time.
struct AffineDrift {
  Tensor A, c;
};

AffineDrift affine_part(const Sde& sde, double t) {
  const int64_t d = sde.dimension;
  const Tensor at = drift(sde, at::cat({at::zeros({1, d}, at::kDouble), at::eye(d, at::kDouble)}), t);
  return {(at.slice(0, 1) - at[0]).t().contiguous(), at[0]};
}

/// Whether b is affine in x at several times and points, to rounding.
bool is_affine(const Sde& sde, double end, const Rng& rng) {
  const Tensor x = probe_spread * rng.stream("probe").normal({probe_points, sde.dimension}, {}, at::kDouble);
  for (int64_t k = 0; k < probe_times; ++k) {
    const double t = end * static_cast<double>(k) / (probe_times - 1);
    const AffineDrift line = affine_part(sde, t);
    const Tensor b = drift(sde, x, t);
    if (((b - x.matmul(line.A.t()) - line.c).abs() > 1e-8 * (1 + b.abs())).any().item<bool>()) return false;
  }
  return true;
}

/// x(t) = F x(0) + m + noise of the covariance Q, at the times k `spacing`: by Runge-Kutta of order 4.
class AffineLaw {
 public:
  AffineLaw(Sde sde, GaussianMixture start, double spacing, int64_t times)
      : sde_(std::move(sde)), start_(std::move(start)), spacing_(spacing) {
    const int64_t d = sde_.dimension, inner = 4;
    State s{at::eye(d, at::kDouble), at::zeros({d}, at::kDouble), at::zeros({d, d}, at::kDouble)};
    states_.push_back(s);
    const double h = spacing / static_cast<double>(inner);
    for (int64_t k = 0; k < times * inner; ++k) {
      s = step(s, static_cast<double>(k) * h, h);
      if ((k + 1) % inner == 0) states_.push_back(s);
    }
    laws_.resize(states_.size());
  }

  /// The law at the time nearest to t.
  std::shared_ptr<const GaussianMixture> at(double t) {
    const auto k = static_cast<size_t>(
        std::clamp<int64_t>(std::lround(t / spacing_), 0, static_cast<int64_t>(states_.size()) - 1));
    const std::lock_guard lock(mutex_);
    if (!laws_[k]) laws_[k] = std::make_shared<GaussianMixture>(law(states_[k]));
    return laws_[k];
  }

 private:
  struct State {
    Tensor F, m, Q;
  };

  State rate(const State& s, double t) const {
    const AffineDrift line = affine_part(sde_, t);
    const Tensor a = sde_.dispersion.kind() == Dispersion::Kind::none
                         ? at::zeros_like(s.Q)
                         : sde_.dispersion.diffusion(at::zeros({1, sde_.dimension}, at::kDouble), t)[0];
    const Tensor AQ = line.A.matmul(s.Q);
    return {line.A.matmul(s.F), line.A.matmul(s.m) + line.c, AQ + AQ.t() + a};
  }
  static State moved(const State& s, const State& rate, double h) {
    return {s.F + h * rate.F, s.m + h * rate.m, s.Q + h * rate.Q};
  }
  State step(const State& s, double t, double h) const {
    const State a = rate(s, t), b = rate(moved(s, a, h / 2), t + h / 2),
                c = rate(moved(s, b, h / 2), t + h / 2), e = rate(moved(s, c, h), t + h);
    return {s.F + h / 6 * (a.F + 2 * b.F + 2 * c.F + e.F), s.m + h / 6 * (a.m + 2 * b.m + 2 * c.m + e.m),
            s.Q + h / 6 * (a.Q + 2 * b.Q + 2 * c.Q + e.Q)};
  }
  GaussianMixture law(const State& s) const {
    std::vector<Tensor> covariances;
    for (int64_t k = 0; k < start_.components(); ++k) {
      const Tensor P = s.F.matmul(start_.component_covariance(k)).matmul(s.F.t()) + s.Q;
      covariances.push_back(0.5 * (P + P.t()));
    }
    return {start_.weights(), start_.means().matmul(s.F.t()) + s.m, at::stack(covariances)};
  }

  Sde sde_;
  GaussianMixture start_;
  double spacing_;
  std::vector<State> states_;
  std::vector<std::shared_ptr<const GaussianMixture>> laws_;
  std::mutex mutex_;
};

DiffusionLaw affine_law(const WrittenSde& written, const GaussianMixture& start, double spacing,
                        int64_t times, double end) {
  const auto law = std::make_shared<AffineLaw>(written.sde, start, spacing, times);
  return {.method = "b is affine in x: p_t is a Gaussian mixture in closed form",
          .score = [law](const Tensor& x, double t) { return law->at(t)->score(x); },
          .sample_end = [law, end](int64_t n, const Rng& rng) { return law->at(end)->sample(n, rng); }};
}

DiffusionLaw grid_law(const WrittenSde& written, const Distribution& start, double spacing, int64_t times,
                      double end, const Rng& rng) {
  check(start.has_density() && start.can_sample(),
        "sde: the forward equation on a grid needs a start with a density and draws; '{}' has not both",
        start.name());
  const auto law = std::make_shared<GridLaw>(written.sde, start, end, spacing, times, rng);
  return {.method = fmt::format("p_t by the forward equation on {} cells", GridLaw::cells),
          .score = [law](const Tensor& x, double t) { return law->score(x, t); },
          .sample_end = [law](int64_t n, const Rng& r) { return law->sample_end(n, r); }};
}

DiffusionLaw particle_law(const WrittenSde& written, const Distribution& start, double spacing, int64_t times,
                          const Rng& rng) {
  check(start.has_score() && start.can_sample(),
        "sde: an estimated law needs a start with a score and draws; '{}' has not both", start.name());
  const auto law = std::make_shared<ParticleLaw>(written.sde, start, spacing, times, rng);
  return {
      .method = fmt::format("p_t estimated by the last step of {} paths: its score is right to some percent",
                            ParticleLaw::paths),
      .score = [law](const Tensor& x, double t) { return law->score(x, t); },
      .sample_end = [law](int64_t n, const Rng& r) { return law->sample_end(n, r); }};
}

}  // namespace

DiffusionLaw law_of_diffusion(const WrittenSde& written, const Distribution* start, double end, int64_t steps,
                              const Rng& rng) {
  if (written.score)
    return {
        .method = "p_t is known in closed form",
        .score = written.score,
        .sample_end = [sample = written.sample, end](int64_t n, const Rng& r) { return sample(n, r, end); }};
  check(start != nullptr, "sde: expected the law of x(0), a target, but received none");
  const double spacing = end / static_cast<double>(2 * steps);
  const GaussianMixture* mixture = as_gaussian_mixture(*start);
  const bool affine = !written.state_dependent && is_affine(written.sde, end, rng);
  if (affine && mixture) return affine_law(written, *mixture, spacing, 2 * steps, end);
  if (written.sde.dimension == 2) return particle_law(written, *start, spacing, 2 * steps, rng);
  check(written.sde.dimension == 1,
        "sde: a reversal needs the score of p_t, which is known where b is affine in x, sigma does not "
        "depend on x and "
        "the start is a Gaussian mixture, of the named diffusions, and on a line or in the plane; this one "
        "has {} dimensions "
        "and {}",
        written.sde.dimension, affine ? "another start" : "is not affine");
  return grid_law(written, *start, spacing, 2 * steps, end, rng);
}

}  // namespace fokker::course
