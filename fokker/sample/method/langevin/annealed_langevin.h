#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Annealed Langevin dynamics (Song and Ermon 2019, Algorithm 1; the lecture on score matching, section 4.4):
/// at each noise level sigma_i, large to small, K steps of ULA with h_i = h_L sigma_i^2 / sigma_L^2. The
/// levels are the times of the grid where sigma > 0, the first included; at an end with sigma = 0 the
/// denoised estimate is taken instead. On a process with alpha != 1 the chain x/alpha passes from level to
/// level.
class AnnealedLangevin final : public Sampler {
 public:
  struct Options {
    int64_t inner = 100;         ///< K
    double relative_step = 0.1;  ///< h_i / sigma_i^2, the same at every level: h_L / sigma_L^2
  };
  explicit AnnealedLangevin(Options options);
  AnnealedLangevin() : AnnealedLangevin(Options()) {}
  std::string name() const override { return "annealed-langevin"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 1, .weak = 1}; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  /// K steps at the level of time t, with draws numbered from `first`.
  Tensor run_level(const Denoiser& denoiser, Tensor x, double t, uint32_t first,
                   const StepContext& context) const;
  Options options_;
};

}  // namespace fokker
