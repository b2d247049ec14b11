#pragma once
#include <memory>
#include <mutex>

#include "fokker/core/random/rng.h"
#include "fokker/sde/sde.h"
#include "fokker/target/gaussian_mixture.h"

namespace fokker::course {

/// p_t in the plane as the mean over simulated paths of the law of a last Euler step: from X_s, s a little
/// before t, N(X_s + (t - s) b, (t - s) a). Its error is that of one Euler step and the chance of the paths.
class ParticleLaw {
 public:
  static constexpr int64_t paths = 4000;
  /// The last step as a share of the whole time: longer is smoother, shorter is nearer to the diffusion.
  static constexpr double last_step = 0.03;

  /// At multiples of `spacing` up to `times` of them. Argument error where the noise is singular. The start's
  /// own score is that of time 0, so it must outlive this.
  ParticleLaw(Sde sde, const Distribution& start, double spacing, int64_t times, const Rng& rng);

  Tensor score(const Tensor& x, double t) const;
  /// n draws of x at the last time, by paths of their own.
  Tensor sample_end(int64_t n, const Rng& rng) const;

 private:
  std::shared_ptr<const GaussianMixture> at(int64_t k) const;
  Sde sde_;
  const Distribution& start_;
  double spacing_;
  std::vector<Tensor> states_;  ///< of the paths at each multiple
  mutable std::mutex mutex_;
  mutable int64_t kept_ = -1;  ///< the time of `law_`, as a simulation asks for one time after another
  mutable std::shared_ptr<const GaussianMixture> law_;
};

}  // namespace fokker::course
