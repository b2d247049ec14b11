#include "fokker/course/problem/particle_law.h"

#include <algorithm>
#include <cmath>

#include "fokker/core/check.h"
#include "fokker/sde/simulate.h"

namespace fokker::course {

ParticleLaw::ParticleLaw(Sde sde, const Distribution& start, double spacing, int64_t times, const Rng& rng)
    : sde_(std::move(sde)), start_(start), spacing_(spacing) {
  check(sde_.dispersion.kind() != Dispersion::Kind::none, "sde: an estimated law needs noise");
  states_.reserve(static_cast<size_t>(times + 1));
  const double end = spacing * static_cast<double>(times);
  simulate(sde_, start.sample(paths, rng.stream("paths start")), uniform_times(0, end, times),
           {.method = {},
            .noise = wiener_increments(rng.stream("paths")),
            .observer = [&](const SdeState& s) { states_.push_back(s.x.clone()); }});
  const Tensor a = sde_.dispersion.diffusion(states_.back(), end);
  check((at::linalg_eigvalsh(a).select(1, 0) > 1e-12).all().item<bool>(),
        "sde: an estimated law needs noise in every direction, but a = sigma sigma^T is singular");
}

std::shared_ptr<const GaussianMixture> ParticleLaw::at(int64_t k) const {
  const std::lock_guard lock(mutex_);
  if (k == kept_) return law_;
  const auto whole = static_cast<double>(states_.size() - 1);
  const int64_t back = std::max<int64_t>(1, std::lround(last_step * whole)),
                from = std::max<int64_t>(0, k - back);
  const Tensor& x = states_[static_cast<size_t>(from)];
  const double s = spacing_ * static_cast<double>(from), step = spacing_ * static_cast<double>(k - from);
  law_ = std::make_shared<GaussianMixture>(at::ones({x.size(0)}, at::kDouble), x + step * drift(sde_, x, s),
                                           step * sde_.dispersion.diffusion(x, s));
  kept_ = k;
  return law_;
}

Tensor ParticleLaw::score(const Tensor& x, double t) const {
  const auto k = std::clamp<int64_t>(std::lround(t / spacing_), 0, std::ssize(states_) - 1);
  return k == 0 ? start_.score(x) : at(k)->score(x);
}

Tensor ParticleLaw::sample_end(int64_t n, const Rng& rng) const {
  const auto times = static_cast<int64_t>(std::ssize(states_) - 1);
  return simulate(sde_, start_.sample(n, rng.stream("data")),
                  uniform_times(0, spacing_ * static_cast<double>(times), times),
                  {.method = {}, .noise = wiener_increments(rng.stream("noise")), .observer = {}});
}

}  // namespace fokker::course
