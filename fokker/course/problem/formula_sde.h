#pragma once
#include <memory>
#include <optional>
#include <string>

#include "fokker/sde/sde.h"
#include "fokker/target/distribution.h"

namespace fokker::course {

/// A diffusion on [0, end] that a reader wrote, with what is known of its law.
struct WrittenSde {
  Sde sde;
  /// Whether sigma changes with x, so that div a matters.
  bool state_dependent = false;
  /// Of the diffusions that bring their own start: draws of x(0), and grad log p_t.
  std::function<Tensor(int64_t n, const Rng& rng, double t)> sample = {};
  StateFunction score = {};
};

/// "b=...; sigma=..." in x (one dimension; x1 too) and t; "b1=...; b2=...; sigma=..." in x1, x2, ...
/// sigma: one for all components, sigma1.. of a diagonal, or sigma11, sigma12, ... of a matrix (those not
/// given are 0). By name: `geometric`, `geometric:mu=,sigma=` (geometric Brownian motion from a log-normal
/// start) and `warped` (a diffusion in the plane with a full, state-dependent sigma), whose laws are known.
/// At most nine dimensions. Argument errors name the part and the place in it.
WrittenSde parse_sde(const std::string& text);

/// How the law of a diffusion from a start was found.
struct DiffusionLaw {
  std::string method;   ///< one line
  StateFunction score;  ///< grad log p_t
  /// n draws of x(end), (n, d).
  std::function<Tensor(int64_t n, const Rng& rng)> sample_end;
};

/// p_t of a diffusion from a Gaussian mixture: in closed form where b is affine in x and sigma does not
/// depend on it; on a line by the forward equation on a grid; in the plane estimated by
/// simulated paths (then the start must outlive the law); of the named ones their own. Scores are right
/// at multiples of end / (2 steps). Argument error where none of these can be.
DiffusionLaw law_of_diffusion(const WrittenSde& written, const Distribution* start, double end, int64_t steps,
                              const Rng& rng);

}  // namespace fokker::course
