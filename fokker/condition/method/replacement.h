#pragma once
#include "fokker/condition/posterior_sampler.h"

namespace fokker {

/// Replacement (Song et al. 2021, appendix I.2): before each step of the reverse chain the measured part of
/// x_t is replaced by a noised y,
///   x_t <- x_t + A^+ (alpha y + sigma A eps - A x_t),
/// and at the end by y itself. y is taken as exact, whatever its noise. With resample = R > 1 each step is
/// taken R times, with noise added back between them (RePaint, Lugmayr et al. 2022, jumps of one step), so
/// that the rest follows the measured part. Biased: the rest at time t does not know y's future.
class Replacement final : public PosteriorSampler {
 public:
  explicit Replacement(int64_t resample = 1);
  std::string name() const override { return "replacement"; }
  void check_measurement(const Measurement& measurement) const override;

 private:
  PosteriorDraw draw(const PosteriorBlock& block) const override;
  int64_t resample_;
};

}  // namespace fokker
