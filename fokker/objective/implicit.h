#pragma once
#include "fokker/objective/noised_batch.h"
#include "fokker/objective/score_matching.h"
#include "fokker/objective/weighting.h"

namespace fokker {

/// What score-matching objectives across noise levels have in common. Each level's loss is multiplied by
/// sigma(t)^2 and the weighting's factor on the noise error, so that all levels count alike by default.
struct ScoreMatchingOptions {
  Weighting weighting = Weighting::simple();
  TimeSampling times = {};
  double label_dropout = 0.1;
};

/// Implicit score matching (the lecture on score matching, eq. 4.3) on noised data at random times, with the
/// exact divergence:
///   w(t) sigma^2 (|s_theta(x_t, t)|^2 + 2 div s_theta(x_t, t)) / d.
/// Costs d derivatives of the network; it sees x_t only, not the noise that made it. The least value is
/// -E|sigma s|^2/d.
class ImplicitObjective final : public Objective {
 public:
  explicit ImplicitObjective(ScoreMatchingOptions options) : options_(std::move(options)) {}
  ImplicitObjective() : ImplicitObjective(ScoreMatchingOptions()) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  ScoreMatchingOptions options_;
};

/// Sliced score matching (Song et al. 2019): ImplicitObjective with the divergence along random directions,
/// one derivative for each.
class SlicedObjective final : public Objective {
 public:
  enum class Directions { rademacher, gaussian };
  struct Options {
    ScoreMatchingOptions matching = {};
    Directions directions = Directions::rademacher;
    int64_t projections = 1;
    SlicedNorm norm = SlicedNorm::exact;
  };
  explicit SlicedObjective(Options options);
  SlicedObjective() : SlicedObjective(Options()) {}
  Tensor loss(const Denoiser& denoiser, const Batch& batch, const Rng& rng) const override;

 private:
  Options options_;
};

/// `count` independent directions for each row of x at the position, (count, n, event...), E[v v^T] = I.
Tensor random_directions(SlicedObjective::Directions kind, int64_t count, const Tensor& x,
                         DrawPosition position, const Rng& rng);

}  // namespace fokker
