#pragma once
#include "fokker/sample/sampler.h"

namespace fokker {

/// Euler–Maruyama on the reverse SDE dx = [f x - g^2 score] dt + g dB run from t down to s (Anderson 1982;
/// the lecture on time reversal, eq. 3, the notebook, section 3.1). The noise is additive, so the strong
/// order is 1. A step to sigma = 0 adds its noise too, as the simulation of the SDE that it is, unless told
/// otherwise.
class EulerMaruyama final : public Sampler {
 public:
  struct Options {
    /// Return the mean, without noise, in the step that ends at t = 0.
    bool denoise_last = false;
  };
  explicit EulerMaruyama(Options options) : options_(options) {}
  EulerMaruyama() : EulerMaruyama(Options()) {}
  std::string name() const override { return "euler-maruyama"; }
  SamplerOrder order() const override { return {.deterministic = false, .strong = 1, .weak = 1}; }
  bool needs_sde() const override { return true; }

 private:
  StepResult do_step(const Denoiser& denoiser, const Tensor& x, StepContext& context) const override;
  Options options_;
};

}  // namespace fokker
