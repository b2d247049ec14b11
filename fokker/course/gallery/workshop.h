#pragma once
#include <memory>
#include <mutex>

#include "fokker/course/gallery/item.h"
#include "fokker/denoise/analytic.h"

namespace fokker::gallery {

/// A built-in target that is a Gaussian mixture: "two-modes" is S2's, "four-points" S3's.
GaussianMixture named_mixture(const std::string& name);
/// 0.3 N(-2, 0.16) + 0.7 N(1.5, 0.64) on the line, where a source leaves the law open.
GaussianMixture two_bumps();

/// S3's example: equal weights on -15, 1, -5 and 15, noised by 200 steps of beta = 0.04; step i is at t =
/// i/200 of the process.
struct Notebook {
  static constexpr int64_t steps = 200;
  AnalyticDenoiser exact{named_mixture("four-points"), ConstantBeta{}};
  const GaussianProcess& process() const { return exact.process(); }
  static double time(double step) { return step / static_cast<double>(steps); }
};

/// The same with a reader's own points or mixture, `target`.
inline Notebook notebook_with(const Settings& set) {
  return {.exact = {set.law(), ConstantBeta{}}};
}
/// The largest distance of a mean from zero: S3's pictures reach 3 further.
double reach_of(const GaussianMixture& law);
/// The setting "target" with S3's four points for its default.
Setting four_points_setting();
/// The same with two_bumps().
Setting two_bumps_setting();

/// What several items share. A network is trained when first asked for, by whichever thread, and depends on
/// the seed alone.
class Workshop {
 public:
  explicit Workshop(uint64_t seed) : rng_(seed) {}

  const Notebook& notebook() const { return notebook_; }
  /// eps_theta of S3, trained on its four points.
  const Denoiser& noise_network();

  /// The noise level of the data from which the score of S2's Figure 4.1 is learned.
  static constexpr double toy_noise = 0.5;
  /// S2's score network, trained on 1280 draws from its two modes.
  const Denoiser& toy_network();

 private:
  Rng rng_;
  Notebook notebook_ = {};
  std::once_flag noise_trained_ = {}, toy_trained_ = {};
  std::shared_ptr<const Denoiser> noise_network_ = {}, toy_network_ = {};
};

}  // namespace fokker::gallery
